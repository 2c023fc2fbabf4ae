"""What constrained prompts are made of: topics, words, and the wording of each constraint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TOPICS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": (
        "a rainy morning in a small town", "an old fishing boat", "a long train journey at night",
        "learning to swim", "a garden in early spring", "the first snow of the year",
        "a busy market hall", "a grandmother's kitchen", "a lost umbrella", "moving to a new flat",
        "a library at closing time", "a bicycle repair shop", "a village school", "a mountain hut",
        "a broken clock", "waiting for a letter", "a walk along the river", "a power cut",
        "a street musician", "baking bread at home", "a football match in the park",
        "an abandoned railway station", "a cat that lives in a bookshop",
        "a night under a clear sky",
        "a ferry crossing in the fog", "a birthday without guests", "planting an apple tree",
        "an early shift at a bakery", "a job interview", "the last day of the holidays",
    ),
    "zh": (
        "小镇下雨的早晨", "一条旧渔船", "夜里的长途火车", "学游泳", "早春的菜园", "今年的第一场雪",
        "热闹的菜市场", "外婆的厨房", "丢失的雨伞", "搬进新家", "快要关门的图书馆",
        "修自行车的小店",
        "村里的学校", "山顶的小屋", "坏掉的钟", "等一封信", "沿着江边散步", "突然停电的晚上",
        "街头的歌手", "在家烤面包", "公园里的足球赛", "废弃的火车站", "住在书店里的猫",
        "晴朗的夜空",
        "雾里的渡船", "没有客人的生日", "种一棵苹果树", "面包店的早班", "一次面试",
        "假期的最后一天",
    ),
})  # fmt: skip
LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("things to pack for a week by the sea", "things one sees in a harbour",
           "things that make a room cosy", "animals on a farm", "jobs in a hospital",
           "things that float", "presents for a child of ten", "things made of glass",
           "sounds of a city", "plants for a balcony", "things in a toolbox",
           "rooms of a large house"),
    "zh": ("去海边住一周要带的东西", "港口里能看到的东西", "让房间变得舒服的东西", "农场里的动物",
           "医院里的职业", "能浮在水上的东西", "送给十岁孩子的礼物", "玻璃做的东西", "城市里的声音",
           "适合阳台的植物", "工具箱里的东西", "大房子里的房间"),
})  # fmt: skip
OBJECTS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("an imaginary island", "an invented animal", "a made-up festival",
           "a robot for the kitchen",
           "a shop that sells only one thing", "a castle in the clouds", "a new ball game",
           "a train of the future"),
    "zh": ("一座想象中的小岛", "一种编造的动物", "一个虚构的节日", "一台厨房机器人",
           "一家只卖一样东西的店",
           "一座云上的城堡", "一种新的球类游戏", "一列未来的火车"),
})  # fmt: skip
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("name", "colour", "size", "place", "sound", "price", "purpose", "weather"),
    "zh": ("名字", "颜色", "大小", "地点", "声音", "价格", "用途", "天气"),
})  # fmt: skip

FILLERS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("old", "bright", "small", "wind", "light", "stone", "path", "slow", "quiet", "hill",
           "moon", "grass", "blue", "warm", "bird", "lamp", "green", "cold", "brook", "dust"),
    "zh": ("清风", "明月", "小路", "远山", "灯火", "青草", "石桥", "晚霞", "春天", "溪流", "飞鸟",
           "白云", "炊烟", "古树", "星光", "细雨"),
})  # fmt: skip
"""Words that an example of a right answer is filled with; none is asked for or forbidden."""
WANTED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("lantern", "pocket", "silver", "whisper", "marble", "harvest", "ribbon", "orchard",
           "thunder", "candle", "window", "copper", "journey", "blanket", "shadow", "basket"),
    "zh": ("灯笼", "口袋", "银色", "耳语", "收获", "丝带", "果园", "雷声", "蜡烛", "窗户", "旅途",
           "毯子", "影子", "篮子", "钥匙", "台阶"),
})  # fmt: skip
FORBIDDEN: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("and", "the", "is", "of", "it", "was", "with", "very"),
    "zh": ("一个", "我们", "非常", "因为", "但是", "可以", "他们", "已经"),
})  # fmt: skip
SIGNS: Mapping[str, str] = MappingProxyType({"en": "aeiost", "zh": "的了是在不我"})
"""Letters, or characters, that a text may have to do without."""
STARTS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("Yesterday", "Imagine", "Nobody", "Long ago", "Look", "Perhaps"),
    "zh": ("昨天", "想象", "从前", "也许", "看啊", "清早"),
})  # fmt: skip
ENDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("for good", "at last", "until dawn", "back home", "once more", "by night"),
    "zh": ("直到天亮", "回到家中", "永远如此", "再来一次", "慢慢走远", "到此为止"),
})  # fmt: skip

ASKS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "en": MappingProxyType({
        "prose": "Write a short text about {topic}.",
        "list": "Write a list: {topic}. Write nothing but the list, one item a line.",
        "json": "Describe {topic} as a JSON object. Write nothing but the object.",
        "length:en": "Use at least {low} and at most {high} words.",
        "length:zh": "Use at least {low} and at most {high} Chinese characters, marks not counted.",
        "sentences": "Write exactly {count} sentences.",
        "include": "Use these words: {words}.",
        "avoid": "Do not use any of these words: {words}.",
        "without:en": 'Do not use the letter "{sign}", neither small nor capital.',
        "without:zh": "Do not use the character {sign}.",
        "case:upper": "Write all letters as capitals.",
        "case:lower": "Write all letters small, without any capital.",
        "no_commas": "Do not use commas.",
        "quoted": "Put the whole text between double quotation marks.",
        "starts": 'Begin with "{words}".',
        "ends": 'Let the last words be "{words}".',
        "items:bullet": 'Give exactly {count} items, each on a line that begins with "- ".',
        "items:numbered": 'Give exactly {count} items, numbered "1. ", "2. " and so on.',
        "item_length:en": "No item may have more than {high} words.",
        "item_length:zh": "No item may have more than {high} Chinese characters.",
        "sorted:alphabet": "Put the items in alphabetical order.",
        "sorted:length": "Order the items from the fewest to the most characters.",
        "json:": "It must have exactly these keys: {keys}.",
        "key_order": "The keys must stand in this order: {keys}.",
        "value_length:en": "Every value is a text of at most {high} words.",
        "value_length:zh": "Every value is a text of at most {high} Chinese characters.",
        "language:en": "Write in English.",
        "language:zh": "Write in Chinese, without a single Latin letter.",
        "before": 'Use "{first}" and, somewhere after it, "{second}".',
        "and": ", ",
        "quote": '"{}"',
    }),
    "zh": MappingProxyType({
        "prose": "请写一段关于“{topic}”的短文。",
        "list": "请列一个清单：{topic}。只写清单，每行一项。",
        "json": "请用一个JSON对象描述{topic}。只写这个对象。",
        "length:en": "字数要求：至少{low}个、至多{high}个英文单词。",
        "length:zh": "字数要求：至少{low}个、至多{high}个汉字，标点不算。",
        "sentences": "正好写{count}句话。",
        "include": "必须用到这些词：{words}。",
        "avoid": "不许出现这些词：{words}。",
        "without:en": "不许出现字母“{sign}”，大写小写都不行。",
        "without:zh": "不许出现“{sign}”这个字。",
        "case:upper": "所有字母都用大写。",
        "case:lower": "所有字母都用小写，不要有大写。",
        "no_commas": "不要用逗号和顿号。",
        "quoted": "把整段文字放在一对双引号里。",
        "starts": "以“{words}”开头。",
        "ends": "最后几个字必须是“{words}”。",
        "items:bullet": "正好写{count}项，每项一行，以“- ”开头。",
        "items:numbered": "正好写{count}项，用“1. ”“2. ”这样的编号。",
        "item_length:en": "每一项不超过{high}个英文单词。",
        "item_length:zh": "每一项不超过{high}个汉字。",
        "sorted:alphabet": "各项按字母顺序排列。",
        "sorted:length": "各项按字数从少到多排列。",
        "json:": "必须正好有这些键：{keys}。",
        "key_order": "键必须按这个顺序出现：{keys}。",
        "value_length:en": "每个值都是不超过{high}个英文单词的文字。",
        "value_length:zh": "每个值都是不超过{high}个汉字的文字。",
        "language:en": "用英文写，不要出现任何汉字。",
        "language:zh": "用中文写，不要出现任何拉丁字母。",
        "before": "先用到“{first}”，在它之后再用到“{second}”。",
        "and": "、",
        "quote": "“{}”",
    }),
})  # fmt: skip
"""How a constraint is asked, by language of the prompt; after a colon, what decides the wording."""
