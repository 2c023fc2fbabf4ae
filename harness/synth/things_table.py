"""The lines of the table of things: English names | Chinese names | attributes."""

TABLE = """
dog | 狗/小狗/犬 | mammal four_legs tail pet meat ?bigger ?dangerous ?indoors ?farm ?food ?stripes ?night ?hand
cat | 猫/小猫/猫咪 | mammal four_legs tail pet meat ?indoors ?stripes ?night ?farm ?hand
horse | 马 | mammal four_legs tail ride farm bigger ?food ?pet ?dangerous
cow | 牛/奶牛/母牛 | mammal four_legs tail farm bigger ?food ?dangerous
pig | 猪 | mammal four_legs tail farm ?food ?bigger ?pet ?meat ?fur
sheep | 羊/绵羊 | mammal four_legs tail farm ?food ?bigger
elephant | 大象/象 | mammal four_legs tail bigger africa dangerous ?ride ?fur ?farm
lion | 狮子/狮 | mammal four_legs tail bigger africa dangerous meat ?night
tiger | 老虎/虎 | mammal four_legs tail bigger dangerous meat stripes ?night
zebra | 斑马 | mammal four_legs tail bigger africa stripes ?dangerous
giraffe | 长颈鹿 | mammal four_legs tail bigger africa ?dangerous
camel | 骆驼 | mammal four_legs tail bigger ride farm ?africa ?food ?dangerous
panda/giant panda | 熊猫/大熊猫 | mammal four_legs tail ?bigger ?dangerous ?meat ?night ?stripes
bear | 熊 | mammal four_legs tail bigger dangerous meat ?night
monkey | 猴子/猴 | mammal ?legs ?four_legs ?tail africa ?pet ?dangerous ?meat ?hand
rabbit | 兔子/兔 | mammal four_legs tail pet ?food ?farm ?night ?indoors ?hand ?africa
mouse | 老鼠/鼠 | mammal four_legs tail hand night ?pet ?indoors ?meat ?africa ?kitchen
whale | 鲸鱼/鲸 | mammal water tail bigger meat ?fur ?dangerous ?food ?africa ?night
bat | 蝙蝠 | mammal legs wings fly night hand ?tail ?meat ?dangerous ?africa ?sky
kangaroo | 袋鼠 | mammal legs tail ?four_legs ?bigger ?dangerous ?night ?food
chicken/hen | 鸡/母鸡 | bird farm ?fly ?food ?meat ?pet ?hand
duck | 鸭子/鸭 | bird farm fly ?water ?food ?meat ?pet ?hand ?sky ?africa ?night
eagle | 老鹰/鹰 | bird fly meat sky ?dangerous ?africa
penguin | 企鹅 | bird meat ?water ?africa
owl | 猫头鹰 | bird fly meat night ?sky ?africa ?hand
ostrich | 鸵鸟 | bird bigger africa ?farm ?food ?meat ?dangerous
parrot | 鹦鹉 | bird fly pet ?hand ?indoors ?sky ?africa
shark | 鲨鱼/鲨 | fish dangerous meat ?bigger ?eggs ?food ?africa ?night ?stripes
goldfish | 金鱼 | fish pet hand indoors ?meat
frog | 青蛙/蛙 | animal four_legs water eggs meat hand ?night ?food ?pet ?africa ?stripes
snake | 蛇 | reptile meat ?dangerous ?eggs ?night ?pet ?africa ?stripes ?food ?water ?bigger ?hand
turtle/tortoise | 乌龟/龟 | reptile four_legs ?water ?meat ?pet ?hand ?food ?africa ?bigger ?night ?stripes ?farm
crocodile | 鳄鱼 | reptile four_legs water meat dangerous bigger africa ?night ?food ?farm
bee | 蜜蜂 | insect wings fly stripes ?farm ?dangerous ?africa ?fur ?sky
butterfly | 蝴蝶 | insect wings fly ?stripes ?africa ?night ?sky
ant | 蚂蚁 | insect ?wings ?fly ?meat ?africa ?night ?food ?indoors ?kitchen ?dangerous
mosquito | 蚊子 | insect wings fly dangerous night ?meat ?africa ?indoors ?stripes ?water
apple | 苹果 | fruit hand tree ?living ?plant ?round ?kitchen ?indoors ?farm
banana | 香蕉 | fruit hand ?living ?plant ?kitchen ?indoors ?tree ?farm ?africa
orange | 橙子/橘子/橙 | fruit hand round tree ?living ?plant ?kitchen ?indoors ?farm
watermelon | 西瓜 | fruit stripes ?living ?plant ?round ?hand ?kitchen ?indoors ?farm
carrot | 胡萝卜 | vegetable hand ?living ?plant ?sweet ?kitchen ?indoors ?farm
potato | 土豆/马铃薯 | vegetable hand ?living ?plant ?round ?kitchen ?indoors ?farm
tree | 树/大树/树木 | plant bigger wood ?food ?africa ?tree ?farm
rose | 玫瑰/玫瑰花 | plant hand ?food ?indoors ?farm ?dangerous ?africa
sunflower | 向日葵 | plant ?hand ?food ?farm ?bigger ?round
grass | 草/小草 | plant ?food ?hand ?farm ?africa ?bigger
rice | 米饭/大米/米 | food hand kitchen ?living ?plant ?made ?farm ?sweet
bread | 面包 | food made kitchen ?hand ?sweet ?round
cheese | 奶酪/芝士 | food made kitchen ?hand ?round ?cold
egg | 鸡蛋/蛋 | food hand kitchen ?round ?living ?animal ?farm
milk | 牛奶 | drink kitchen ?food ?made ?sweet ?cold ?hand ?farm
coffee | 咖啡 | drink made kitchen ?food ?hand ?sweet ?plant ?cold
honey | 蜂蜜 | food sweet kitchen ?liquid ?made ?drink ?hand ?farm
chocolate | 巧克力 | food made sweet hand ?kitchen ?indoors ?drink ?liquid
car | 汽车/小汽车/轿车 | vehicle wheels bigger metal ?electric ?dangerous ?light
bicycle/bike | 自行车/单车 | vehicle wheels metal ?electric ?bigger ?dangerous ?indoors
train | 火车/列车 | vehicle rails many wheels bigger metal ?electric ?dangerous ?light
bus | 公共汽车/公交车/巴士 | vehicle many wheels bigger metal ?electric ?dangerous ?light
airplane/plane/aeroplane | 飞机 | vehicle many wheels wings tail fly sky bigger metal ?electric ?dangerous ?light
ship/boat | 船/轮船 | vehicle ?many water bigger ?metal ?wood ?electric ?wheels ?dangerous ?light
chair | 椅子 | furniture legs ?four_legs ?wood ?metal ?wheels ?kitchen ?bigger
table | 桌子 | furniture legs ?four_legs ?wood ?metal ?bigger ?round ?kitchen ?wheels
bed | 床 | furniture ?legs ?four_legs ?bigger ?wood ?metal
lamp | 灯/台灯/电灯 | made electric light indoors ?furniture ?metal ?hand ?round ?bigger
piano | 钢琴 | instrument strings indoors wood bigger ?legs ?furniture ?electric ?wheels ?four_legs
guitar | 吉他 | instrument strings wood ?electric ?indoors ?hand
drum | 鼓 | instrument round ?wood ?metal ?electric ?indoors ?hand ?legs ?bigger
violin | 小提琴 | instrument strings bow wood ?indoors ?hand ?electric
hammer | 锤子/锤 | tool hand ?metal ?wood ?indoors ?dangerous
knife | 刀/菜刀/小刀 | tool hand metal kitchen dangerous
spoon | 勺子/勺/汤匙 | hand kitchen made ?tool ?metal ?wood
scissors | 剪刀 | tool hand metal indoors ?dangerous ?kitchen
umbrella | 雨伞/伞 | made hand ?metal ?tool ?indoors ?round
book | 书/书本 | writing hand
pencil | 铅笔 | writing hand wood ?tool
clock | 钟/时钟 | made indoors ?electric ?round ?tool ?hand ?metal ?wood ?bigger ?furniture ?kitchen ?light
telephone/phone | 电话/手机 | made electric indoors ?hand ?tool ?light ?metal ?writing
television/tv | 电视/电视机 | made electric light indoors ?furniture ?bigger ?metal
computer | 电脑/计算机 | made electric indoors light ?tool ?hand ?writing ?metal
refrigerator/fridge | 冰箱 | made electric kitchen cold ?metal ?bigger ?furniture ?light
candle | 蜡烛 | made light hand indoors ?dangerous ?round
mirror | 镜子 | made indoors ?light ?furniture ?round ?hand ?bigger ?tool
shoe | 鞋/鞋子 | worn ?hand ?indoors
hat | 帽子/帽 | worn hand ?round ?indoors
ball | 球/皮球 | made round ?hand ?indoors
key | 钥匙 | hand metal made ?tool ?indoors ?electric
bottle | 瓶子 | made hand kitchen ?round ?metal ?tool
the sun/sun | 太阳 | round sky light bigger ?dangerous
the moon/moon | 月亮/月球 | round sky bigger ?light ?night ?cold
mountain | 山/大山 | bigger ?africa ?cold ?dangerous
river | 河/河流/江 | bigger liquid ?water ?africa ?drink ?dangerous ?cold
snow | 雪 | cold ?water ?sky ?hand ?drink ?food ?bigger
cloud | 云/云朵 | sky bigger ?water ?fly ?round ?cold ?liquid
"""  # noqa: E501 - a thing is a line
