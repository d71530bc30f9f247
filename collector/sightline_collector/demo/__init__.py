"""`sightline demo`: a support desk that answers questions about Sightline, watched by Sightline.

questions.csv ─► visits ─► agent ─► openai client ─► model (real, or the stand-in server)
                            │ spans, feedback
                            ▼
                        collector ─► views ─► tables on the screen
                            │ budget crossed
                            ▼
                        alert receiver
"""
