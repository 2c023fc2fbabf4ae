"""The board: which model is ahead on which task, and is that real? Cells in, one table out.

`table` picks the cells that count and lays them out, `ranks` orders the models, `publish` writes
board.json, board.csv and board.md. Pages are the report's business.
"""
