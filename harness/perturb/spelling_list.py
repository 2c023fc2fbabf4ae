"""Words that British and American English spell differently, and mean alike."""

from __future__ import annotations

_LIST = """
aeroplane airplane
aluminium aluminum
analyse analyze
analysed analyzed
apologise apologize
armour armor
behaviour behavior
behaviours behaviors
cancelled canceled
cancelling canceling
catalogue catalog
centimetre centimeter
centimetres centimeters
centre center
centres centers
civilisation civilization
colour color
coloured colored
colourful colorful
colours colors
cosy cozy
counsellor counselor
defence defense
dialogue dialog
emphasise emphasize
encyclopaedia encyclopedia
equalling equaling
favour favor
favourite favorite
favourites favorites
fibre fiber
fibres fibers
flavour flavor
flavours flavors
fuelled fueled
fulfil fulfill
grey gray
harbour harbor
harbours harbors
honour honor
honours honors
humour humor
jewellery jewelry
kilometre kilometer
kilometres kilometers
labelled labeled
labour labor
litre liter
litres liters
manoeuvre maneuver
marvellous marvelous
memorise memorize
millimetre millimeter
millimetres millimeters
modelling modeling
moustache mustache
mould mold
neighbour neighbor
neighbourhood neighborhood
neighbours neighbors
odour odor
offence offense
organisation organization
organisations organizations
organise organize
organised organized
parlour parlor
plough plow
popularise popularize
pretence pretense
pyjamas pajamas
realise realize
realised realized
recognise recognize
recognised recognized
rumour rumor
sceptical skeptical
signalled signaled
skilful skillful
specialised specialized
splendour splendor
summarise summarize
symbolise symbolize
theatre theater
theatres theaters
traveller traveler
travellers travelers
travelled traveled
travelling traveling
tumour tumor
vapour vapor
vigour vigor
woollen woolen
"""

PAIRS: tuple[tuple[str, str], ...] = tuple(
    (line.split()[0], line.split()[1]) for line in _LIST.strip().splitlines()
)
"""(British, American), in small letters."""

TO_AMERICAN: dict[str, str] = {"metre": "meter", "metres": "meters", "programme": "program"}
"""British → American only: the American word also names what Britons spell the same way."""
