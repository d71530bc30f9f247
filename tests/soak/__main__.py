"""A collector under twice its load, with faults at random: python -m tests.soak [--minutes N]"""

import sys
from pathlib import Path

# As the suite sees it: what tests share is found from their folder.
sys.path.insert(0, str(Path(__file__).parents[1]))

from soak.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
