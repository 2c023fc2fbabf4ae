"""Tables of plain facts, English and Chinese side by side. Common knowledge, put by us."""

from __future__ import annotations

# ruff: noqa: RUF001 - full-width marks are how Chinese is written

CAPITALS = (
    ("France", "Paris", "法国", "巴黎"),
    ("Germany", "Berlin", "德国", "柏林"),
    ("Italy", "Rome", "意大利", "罗马"),
    ("Spain", "Madrid", "西班牙", "马德里"),
    ("England", "London", "英国", "伦敦"),
    ("Russia", "Moscow", "俄罗斯", "莫斯科"),
    ("China", "Beijing", "中国", "北京"),
    ("Japan", "Tokyo", "日本", "东京"),
    ("India", "New Delhi", "印度", "新德里"),
    ("Egypt", "Cairo", "埃及", "开罗"),
    ("Greece", "Athens", "希腊", "雅典"),
    ("Norway", "Oslo", "挪威", "奥斯陆"),
    ("Sweden", "Stockholm", "瑞典", "斯德哥尔摩"),
    ("Poland", "Warsaw", "波兰", "华沙"),
    ("Austria", "Vienna", "奥地利", "维也纳"),
    ("Portugal", "Lisbon", "葡萄牙", "里斯本"),
    ("Canada", "Ottawa", "加拿大", "渥太华"),
    ("Australia", "Canberra", "澳大利亚", "堪培拉"),
    ("Kenya", "Nairobi", "肯尼亚", "内罗毕"),
    ("Peru", "Lima", "秘鲁", "利马"),
    ("Cuba", "Havana", "古巴", "哈瓦那"),
    ("Thailand", "Bangkok", "泰国", "曼谷"),
)
"""Country and capital, in English and in Chinese."""

COLOURS = (
    ("grass", "green", "草", "绿色"),
    ("the sky", "blue", "天空", "蓝色"),
    ("snow", "white", "雪", "白色"),
    ("coal", "black", "煤", "黑色"),
    ("blood", "red", "血", "红色"),
    ("a lemon", "yellow", "柠檬", "黄色"),
    ("a banana", "yellow", "香蕉", "黄色"),
    ("milk", "white", "牛奶", "白色"),
    ("a carrot", "orange", "胡萝卜", "橙色"),
    ("a tomato", "red", "番茄", "红色"),
    ("the sea", "blue", "大海", "蓝色"),
    ("chocolate", "brown", "巧克力", "棕色"),
    ("a leaf", "green", "树叶", "绿色"),
    ("gold", "yellow", "金子", "黄色"),
)
ANIMALS = (
    ("dog", "barks", "four legs", "狗", "四条腿"),
    ("cat", "meows", "four legs", "猫", "四条腿"),
    ("cow", "moos", "four legs", "牛", "四条腿"),
    ("horse", "neighs", "four legs", "马", "四条腿"),
    ("sheep", "bleats", "four legs", "羊", "四条腿"),
    ("duck", "quacks", "two legs", "鸭子", "两条腿"),
    ("owl", "hoots", "two legs", "猫头鹰", "两条腿"),
    ("lion", "roars", "four legs", "狮子", "四条腿"),
    ("bee", "buzzes", "six legs", "蜜蜂", "六条腿"),
    ("snake", "hisses", "no legs", "蛇", "没有腿"),
    ("frog", "croaks", "four legs", "青蛙", "四条腿"),
    ("spider", "spins a web", "eight legs", "蜘蛛", "八条腿"),
)
OPPOSITES = (
    ("hot", "cold", "热", "冷"),
    ("big", "small", "大", "小"),
    ("long", "short", "长", "短"),
    ("high", "low", "高", "低"),
    ("old", "new", "旧", "新"),
    ("day", "night", "白天", "黑夜"),
    ("good", "bad", "好", "坏"),
    ("fast", "slow", "快", "慢"),
    ("heavy", "light", "重", "轻"),
    ("wet", "dry", "湿", "干"),
    ("open", "closed", "开", "关"),
    ("full", "empty", "满", "空"),
    ("rich", "poor", "富", "穷"),
    ("strong", "weak", "强", "弱"),
    ("happy", "sad", "高兴", "难过"),
    ("true", "false", "真", "假"),
    ("left", "right", "左", "右"),
    ("black", "white", "黑", "白"),
)
DAYS = (
    ("Monday", "星期一"),
    ("Tuesday", "星期二"),
    ("Wednesday", "星期三"),
    ("Thursday", "星期四"),
    ("Friday", "星期五"),
    ("Saturday", "星期六"),
    ("Sunday", "星期日"),
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
NUMBERS = (
    ("zero", "零"),
    ("one", "一"),
    ("two", "二"),
    ("three", "三"),
    ("four", "四"),
    ("five", "五"),
    ("six", "六"),
    ("seven", "七"),
    ("eight", "八"),
    ("nine", "九"),
    ("ten", "十"),
    ("eleven", "十一"),
    ("twelve", "十二"),
)
COUNTS = (
    ("How many days are there in a week?", "7", "一周有几天？", "7"),
    ("How many months are there in a year?", "12", "一年有几个月？", "12"),
    ("How many hours are there in a day?", "24", "一天有几个小时？", "24"),
    ("How many minutes are there in an hour?", "60", "一小时有几分钟？", "60"),
    ("How many seconds are there in a minute?", "60", "一分钟有几秒？", "60"),
    ("How many letters are there in the English alphabet?", "26", "英语有几个字母？", "26"),
    ("How many fingers are there on one hand?", "5", "一只手有几根手指？", "5"),
    ("How many wheels does a bicycle have?", "2", "自行车有几个轮子？", "2"),
    ("How many sides does a triangle have?", "3", "三角形有几条边？", "3"),
    ("How many sides does a square have?", "4", "正方形有几条边？", "4"),
)
KINDS = (
    ("an apple", "a fruit", "苹果", "水果"),
    ("a pear", "a fruit", "梨", "水果"),
    ("a rose", "a flower", "玫瑰", "花"),
    ("a tulip", "a flower", "郁金香", "花"),
    ("a dog", "an animal", "狗", "动物"),
    ("a horse", "an animal", "马", "动物"),
    ("a car", "a vehicle", "汽车", "交通工具"),
    ("a train", "a vehicle", "火车", "交通工具"),
    ("a hammer", "a tool", "锤子", "工具"),
    ("a saw", "a tool", "锯子", "工具"),
    ("an oak", "a tree", "橡树", "树"),
    ("a violin", "an instrument", "小提琴", "乐器"),
    ("a piano", "an instrument", "钢琴", "乐器"),
    ("a carrot", "a vegetable", "胡萝卜", "蔬菜"),
    ("a chair", "a piece of furniture", "椅子", "家具"),
    ("a table", "a piece of furniture", "桌子", "家具"),
)
NAMES = (("Anna", "she"), ("Mary", "she"), ("Ruth", "she"), ("Tom", "he"), ("Paul", "he"),
         ("Ben", "he"), ("Lucy", "she"), ("Mark", "he"))  # fmt: skip
NAMES_ZH = ("小明", "小红", "小华", "小丽", "小刚", "小芳")
FITS = (
    ("melon", "basket", "西瓜", "篮子"),
    ("ball", "box", "球", "盒子"),
    ("book", "bag", "书", "书包"),
    ("sofa", "room", "沙发", "房间"),
    ("car", "garage", "汽车", "车库"),
    ("vase", "cupboard", "花瓶", "柜子"),
    ("letter", "envelope", "信", "信封"),
    ("coat", "drawer", "大衣", "抽屉"),
)
"""What is put into what: for sentences whose 'it' the reason decides."""
CAUSES = (
    ("the street was wet", "it had rained", "街道很湿", "下过雨"),
    ("the baby cried", "it was hungry", "宝宝哭了", "他饿了"),
    ("the glass broke", "it fell on the floor", "杯子碎了", "它掉在地上"),
    ("the plant died", "nobody gave it water", "植物死了", "没有人给它浇水"),
    ("the ice melted", "the sun was hot", "冰化了", "太阳很热"),
    ("the lamp was dark", "the power was off", "灯不亮", "停电了"),
    ("the train was late", "there was snow on the rails", "火车晚点了", "铁轨上有雪"),
    ("the soup was cold", "it had stood too long", "汤凉了", "它放得太久了"),
    ("the dog barked", "it saw a cat", "狗叫了", "它看见一只猫"),
    ("the boat sank", "there was a hole in it", "船沉了", "船上有一个洞"),
)
