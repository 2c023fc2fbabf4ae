"""The report: runs as pages that open from disk, with every sample one click away.

`model` is what it is given, `survey` reads the samples once, `blocks` packs them, `story` finds
the sentences, `marks` and `charts` draw, `views` prepares what the templates show, `pages` writes.
Model outputs, task texts and names are hostile: they reach the page as escaped text only.
"""
