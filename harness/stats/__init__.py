"""Statistics: arrays in, numbers out. Knows no samples, tasks or runs; numpy and scipy only.

`intervals` and `bootstrap` bound one number, `paired` compares two systems on the same items,
`power` says how many items a comparison needs, `calibration` asks whether confidences are honest,
`multiplicity` corrects for many tests, and `ranking` orders many systems over many columns.
Where chance is used, the generator is an argument.
"""
