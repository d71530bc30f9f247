"""Does to collectors what a machine may do to them: python -m tests.faults [NAME] [--times N]"""

import sys
from pathlib import Path

# As the suite sees it: what tests share is found from their folder.
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
