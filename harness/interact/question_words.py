"""What the words of a yes/no question mean: for each attribute, how English and Chinese ask for it.

Patterns are regular expressions over lower-case English, or over Chinese without spaces and
marks. What `NEGATED` finds asks for the opposite. What is left of a question when its attributes
are taken out must be words of `IDLE`, which change nothing; any other word means that the
question was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_PERSON = r"(?:(?:an? |the )?(?:average |adult |grown |grown-up |normal |typical |full-grown )*"
_PERSON += r"(?:person|human|man|adult|people|human being|grown-up|me|you))"

ENGLISH: Mapping[str, str] = MappingProxyType({
    "living": r"alive|living(?: thing| being| organism| creature)?|animate|organism|biological",
    "animal": r"animals?|creatures?|beasts?",
    "mammal": r"mammals?",
    "bird": r"birds?|feathers?|feathered",
    "fish": r"fish",
    "insect": r"insects?|bugs?",
    "reptile": r"reptiles?",
    "plant": r"plants?|vegetation",
    "made": r"(?:man|human)-?\s?made|made by (?:people|humans|man|a person|a human)|artificial"
    r"|manufactured|(?:made|produced) in (?:a factory|factories)|inventions?|invented by "
    r"(?:people|humans)",
    "food": r"edible|foods?|(?:some)?thing (?:that )?(?:you|people|we|humans) (?:can )?eat"
    r"|eaten(?: by (?:people|humans)|(?! by))|(?:you|people|we|humans|i) (?:can )?eat"
    r"|(?:can|do) (?:you|people|we|humans|i) eat",
    "fruit": r"fruits?",
    "vegetable": r"vegetables?|veggies?",
    "drink": r"drinks?|beverages?|drinkable|drunk(?: by (?:people|humans)|(?! by))"
    r"|(?:you|people|we|humans|i) (?:can )?drink",
    "fly": r"fly|flies|flying|able to fly",
    "water": r"(?:lives?|living|found|used|travels?|be found) (?:in|on|under|under the) "
    r"(?:the )?(?:water|sea|ocean)|aquatic|(?:in|on) (?:the )?(?:water|sea|ocean)|marine",
    "legs": r"legs?",
    "four_legs": r"(?:four|4)[ -]leg(?:s|ged)|(?:four|4) feet|walks? on (?:four|4) legs|quadruped",
    "fur": r"fur|furry|hair|hairy|covered in fur",
    "tail": r"tails?",
    "wings": r"wings?|winged",
    "electric": r"(?:needs?|uses?|requires?|runs? on|powered by|works? with|works? on) "
    r"(?:electricity"
    r"|electric power|batteries)|electric(?:al|ity)?(?: devices?| appliances?)?"
    r"|electronic(?: devices?)?s?|plugged in",
    "bigger": rf"(?:bigger|larger) than {_PERSON}",
    "hand": r"(?:be )?(?:held|hold(?: it)?|fit|fits|carried|carry(?: it)?|picked up|pick it up)"
    r"(?: it)? (?:in|with) (?:one|your|a|my|the|one's) hand|hand-?held|fits? in (?:your|a|one) "
    r"hand",
    "indoors": r"(?:used |kept |found |be found |seen )?(?:indoors|inside a (?:house|home)"
    r"|in(?:side)? (?:a |the |your |most |people's )?(?:house|home|household)s?|around the house)"
    r"|household (?:item|object)s?",
    "kitchen": r"(?:used |kept |found |be found )?in (?:a |the |your )?kitchens?|kitchen items?"
    r"|kitchenware|kitchen (?:tool|utensil)s?|used (?:for|in) cooking",
    "metal": r"(?:made )?(?:mostly |mainly |primarily )?(?:out )?(?:of |from )?metal(?:lic)?",
    "wood": r"(?:made )?(?:mostly |mainly |primarily )?(?:out )?(?:of |from )?wood(?:en)?",
    "wheels": r"wheels?|wheeled",
    "ride": r"(?:used )?(?:for|as) (?:transport(?:ation)?|travel(?:l?ing)?)|means of "
    r"transport(?:ation)?"
    r"|(?:you|people|we|humans|i) (?:can )?ride(?: (?:in|on))?(?: it)?|ridden|transportation"
    r"|(?:carries|carry|transports?) people",
    "round": r"round|spherical|circular|sphere|ball-shaped|shaped like a ball",
    "pet": r"pets?|(?:kept as|be) a pet|house ?pets?|domestic pets?",
    "farm": r"(?:kept |found |raised |live |lives |be found )?on (?:a |the )?farms?"
    r"|farm animals?|livestock",
    "dangerous": r"(?:dangerous|harmful|deadly)(?: (?:to|for) (?:people|humans|you|us))?"
    r"|(?:can|could) (?:it )?(?:hurt|harm|kill|injure) "
    r"(?:you|people|humans|someone)|(?:hurt|harm|kill|injure) (?:you|people|humans|someone)",
    "instrument": r"(?:musical )?instruments?|(?:play|make|makes) music|used (?:to make|for) music",
    "worn": r"worn(?: on (?:the|your) (?:body|feet|head))?|wear(?: it)?|wearable|clothing|clothes"
    r"|(?:piece|item|article) of clothing|garments?",
    "furniture": r"(?:piece of )?furniture",
    "tool": r"(?:used as )?(?:an? )?tools?",
    "sky": r"(?:seen |found |be seen |be found )?in the sky",
    "meat": r"eats? (?:meat|other animals|animals|flesh)|carnivores?|carnivorous|meat[ -]eaters?"
    r"|predators?",
    "eggs": r"(?:lays?|laying) eggs|egg-laying",
    "sweet": r"(?:taste |tastes )?sweet",
    "tree": r"grows? on (?:a )?trees?",
    "light": r"(?:gives?|produces?|emits?|makes?|provides?|gives? off) (?:off )?light|light "
    r"sources?"
    r"|sources? of light|glows?|used for lighting",
    "stripes": r"stripes?|striped|stripy",
    "writing": r"(?:used )?(?:for|in) (?:reading|writing|reading or writing)|used to (?:read|write)"
    r"|(?:you|people) (?:can )?(?:read|write with)(?: it)?|stationery",
    "liquid": r"liquid|fluid",
    "africa": r"(?:lives?|found|native|be found|live wild) (?:wild )?(?:in|to) africa|african",
    "night": r"nocturnal|active at night|awake at night",
    "vehicle": r"vehicles?",
    "cold": r"cold",
    "rails": r"(?:runs?|moves?|travels?|goes?) on (?:rails|tracks)|rails",
    "many": r"(?:carries|carry|holds?|transports?) (?:many|lots of|a lot of) (?:people|passengers)"
    r"(?: at (?:once|a time|the same time))?|public transport(?:ation)?",
    "strings": r"strings?|stringed(?: instrument)?",
    "bow": r"(?:played )?with a bow|bowed",
})  # fmt: skip

_PEOPLE = "(?:一个)?(?:正常|普通|成年)?的?(?:人类|成年人|成人|大人|人|我|你)"

CHINESE: Mapping[str, str] = MappingProxyType({
    "living": "有生命|生命体|生物|活的|活物|活着",
    "animal": "动物",
    "mammal": "哺乳动物|哺乳类",
    "bird": "鸟类|鸟|禽类|羽毛",
    "fish": "鱼类|鱼",
    "insect": "昆虫|虫子|虫类",
    "reptile": "爬行动物|爬行类|爬虫",
    "plant": "植物",
    "made": "人造|人工制造|人工制品|(?:由|被)?人(?:类|们)?(?:制造|制作|做|造|发明)出?来?|人为制造"
    "|工厂(?:里)?(?:生产|制造)|发明",
    "food": "食物|食品|可食用|食用|(?:可以|能够|能|可)?(?:被人们|被人|被|给人|供人)?吃"
    "(?=吗|的|它|呢|吧|或|和|$)",
    "fruit": "水果",
    "vegetable": "蔬菜",
    "drink": "饮料|饮品|(?:可以|能够|能|可)?(?:被人们|被人|被|给人|供人)?喝(?=吗|的|它|呢|吧|或"
    "|和|$)",
    "fly": "飞行|飞",
    "water": "(?:生活|住|活|生长|游|用|使用|出现|行驶)?在(?:水|海|海洋|河)(?:里|中|上|面|水里)+"
    "|水生动物|水生",
    "legs": "腿|脚",
    "four_legs": "(?:四|4)(?:条|只)?(?:腿|脚)|四足动物|四足",
    "fur": "毛发|皮毛|毛皮|毛茸茸|毛",
    "tail": "尾巴",
    "wings": "翅膀|机翼",
    "electric": "(?:需要)?用电|电器|需要电|电子(?:产品|设备)|插电|耗电|通电|靠电|电力(?:驱动)?"
    "|家用电器|家电",
    "bigger": f"(?:体型)?比{_PEOPLE}(?:更|还)?(?:要)?(?:大|大得多)|大于{_PEOPLE}|体型大于{_PEOPLE}",
    "hand": "(?:可以|能|能够)?(?:用)?(?:一只|单)手(?:就)?(?:可以|能|能够)?(?:拿|握|提|捧)"
    "(?:得?起来|着|住|得?起|得动|得住)*|(?:拿|握)在手(?:里|中|上)|手持",
    "indoors": "(?:出现|放|用|使用|存在|看到|见到|常见)?(?:在|于)?(?:室内|屋里|屋内|房间里|家里"
    "|家中|房子里)(?:使用|用|看到|见到|出现|找到)?"
    "|家居用品|日常家用|家用",
    "kitchen": "(?:出现|放|用|使用)?在?厨房(?:里|中)?(?:使用|用|看到|见到|找到)?|厨具|厨房用品"
    "|炊具|餐具",
    "metal": "(?:用|由)?金属(?:做|制成|制作|制造|制)?",
    "wood": "(?:用|由)?(?:木头|木材|木质|木制|木)(?:做|制成|制作|制造|制)?",
    "wheels": "轮子|车轮|轮",
    "ride": "代步|乘坐|骑|载人|运输(?:工具)?|出行工具|坐人",
    "round": "圆形|圆的|球形|圆",
    "pet": "宠物",
    "farm": "农场|家畜|牲畜|农家",
    "dangerous": "(?:对(?:人类|人们|人))?(?:会|有|具有|造成)*危险|(?:会|能)?(?:伤害"
    "|伤)(?:到)?(?:人类|人)|危害",
    "instrument": "乐器|演奏音乐|演奏",
    "worn": "穿戴|被?(?:穿|戴)在?(?:身上|脚上|头上)?|衣物|衣服|服装|服饰",
    "furniture": "家具",
    "tool": "工具",
    "sky": "(?:在)?(?:天空|天上|空中)(?:中|里)?(?:看到|看见|见到|出现)?",
    "meat": "(?:吃|食)(?:肉|其他动物|别的动物)|肉食(?:性)?(?:动物)?|食肉(?:动物)?",
    "eggs": "下蛋|产卵|产蛋|卵生",
    "sweet": "甜味|甜",
    "tree": "(?:长|生长|结)在树上",
    "light": "发光|照明|发亮|光源|发出光",
    "stripes": "条纹|斑纹|花纹",
    "writing": "(?:用来|用于)?(?:写字|书写|读书|阅读|写作)|文具",
    "liquid": "液体|液态",
    "africa": "(?:生活|住|野生|产|生长|分布)?(?:在|于)?非洲(?:野外|草原)?(?:生活)?",
    "night": "夜行(?:性)?(?:动物)?|(?:在)?(?:晚上|夜里|夜间|夜晚)(?:活动|出来|出没)",
    "vehicle": "交通工具|车辆|车",
    "cold": "冰冷|冷|冰凉|凉",
    "rails": "(?:在|沿)?(?:铁轨|轨道)(?:上)?(?:行驶|运行|跑|走|开)?",
    "many": "(?:载|坐|运)(?:很多|许多|大量)(?:人|乘客)|公共交通(?:工具)?",
    "strings": "琴弦|弦乐器|弦",
    "bow": "(?:用)?(?:琴弓|弓)(?:演奏|拉)?",
})  # fmt: skip

NEGATED: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "en": MappingProxyType({
        "living": r"non-?\s?living(?: thing)?|inanimate(?: object)?|not alive|lifeless",
        "made": r"natural(?:ly occurring)?|found in nature|(?:occurs?|made|exists?) (?:in nature"
        r"|naturally)|part of nature",
        "bigger": rf"(?:smaller) than {_PERSON}",
    }),
    "zh": MappingProxyType({
        "living": "无生命|没有生命|非生物|死物",
        "made": "天然|自然形成|自然界(?:中)?(?:存在|产生|形成|的)?|大自然(?:中)?(?:存在|产生|形成"
        "|的)?|自然",
        "bigger": f"(?:体型)?比{_PEOPLE}(?:更|还)?(?:要)?小|小于{_PEOPLE}",
    }),
})  # fmt: skip

IDLE: Mapping[str, re.Pattern[str]] = MappingProxyType({
    "en": re.compile(
        r"\b(?:(?:kind|type|sort|form|piece) of|(?:classified|considered|used)(?: as)?(?: to be)?"
        r"|thinking of|able to|which(?= (?:is|are|can|has|have|does|lives?|you|people)\b)"
        r"|is|are|was|does|do|can|could|would|will|has|have|having|be|being|it|its|it's"
        r"|this|that|these|thing|things|object|objects|item|items|something|some|any|an?|the"
        r"|usually|commonly|typically|normally|often|generally|mostly|you're|you|your|i|people"
        r"|humans|we|also|found|so|then|ok|okay|there|and|or|either|with|covered)\b(?!')"
    ),
    "zh": re.compile(
        "是不是|是否是|是否|有没有|能不能|会不会|可不可以|请问|那么|那|这个|这种|这|它们|它|"
        "你心里想的|你想的|想的|东西|物体|物品|事物|一个|一种|一类|某种|(?<=是)一只|(?<=是)一件|"
        "(?<=是)一样|通常|一般来说|一般|常常|经常|平时|常见|主要|大多|属于|可以|能够|能|会|有|是"
        "|人们|"
        "人类|人|我们|的|吗|呢|吧|和|或者|还是|或|又|并且|而且|以及|种类|种|类|体型|身上|长着|长"
        "|具有|"
        "拥有|带有|带"
    ),
})  # fmt: skip
"""None of these may change what is asked: no numbers, no prepositions of their own."""

UNCLEAR: Mapping[str, re.Pattern[str]] = MappingProxyType({
    "en": re.compile(
        r"\bnot\b|n't\b|\bno\b|^(?:what|which|who|where|when|why|how)\b"
        r"|\bor (?:an? |some )?(?:object|thing|item|something)\b"
    ),
    "zh": re.compile("(?<!有)没(?!有)|什么|哪|谁|多少|(?:还是|或者|或)(?:物体|物品|东西|其他)"),
})  # fmt: skip
"""What makes a question none that yes or no answers, or turns it round."""
