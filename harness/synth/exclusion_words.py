"""What passages for extraction with exclusion are made of, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Domain(Struct, frozen=True):
    """Things to list, things to leave out, and sentences that name them.

    In a sentence `{a}` stands for things wanted and `{b}` for things to leave out; `{name}` is
    the person of the passage. `denied` names wanted kinds of things that do not hold, to be left
    out as well.
    """

    name: str
    ask: str
    wanted: tuple[str, ...]
    excluded: tuple[str, ...]
    opening: tuple[str, ...]
    telling: tuple[str, ...]
    """Sentences about `{a}`."""
    other: tuple[str, ...]
    """Sentences about `{b}`."""
    denied: tuple[str, ...]
    """Sentences that deny one more of the wanted kind, `{d}`."""
    closing: tuple[str, ...]


NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "en": ("Anna", "Peter", "Maria", "Tom", "Julia", "David", "Nora", "Paul", "Lena", "Mark"),
    "zh": ("小王", "老李", "小张", "陈阿姨", "刘先生", "赵女士", "小周", "老孙", "小吴", "郑老师"),
})  # fmt: skip

ENGLISH = (
    Domain(
        name="clinic",
        ask="List the symptoms that {name} has now. "
        "Leave out diseases, and symptoms that {name} does not have.",
        wanted=("a headache", "a sore throat", "nausea", "a dry cough", "dizziness", "a rash",
                "back pain", "a runny nose", "stomach cramps", "tiredness", "chills",
                "shortness of breath", "swollen ankles", "blurred vision", "night sweats",
                "loss of appetite"),
        excluded=("asthma", "diabetes", "malaria", "measles", "pneumonia", "arthritis", "gout",
                  "tuberculosis", "epilepsy", "hepatitis"),
        opening=("{name} went to the clinic on Monday.", "The doctor saw {name} this morning.",
                 "{name} called the practice before noon."),
        telling=("For two days {name} has had {a}.",
                 "The first thing the nurse wrote down was {a}.",
                 "Since last night {name} complains of {a}.", "What brought {name} in is {a}."),
        other=("The family's records mention {b}.", "As a child {name} went through {b}.",
               "The doctor wants to rule out {b}.", "A neighbour is being treated for {b}."),
        denied=("There is no sign of {d}.", "Asked about {d}, {name} said no."),
        closing=("A blood test is planned.", "The next visit is in a week.", ""),
    ),
    Domain(
        name="market",
        ask="List the fruit that {name} bought. "
        "Leave out vegetables, and fruit that was not bought.",
        wanted=("apples", "pears", "cherries", "plums", "grapes", "lemons", "peaches", "mangoes",
                "bananas", "apricots", "raspberries", "melons", "figs", "kiwis"),
        excluded=("carrots", "onions", "potatoes", "leeks", "cabbages", "beets", "spinach",
                  "radishes", "celery", "turnips"),
        opening=("On Saturday {name} walked to the market.",
                 "{name} filled two bags at the market hall.",
                 "The market opened at seven, and {name} was early."),
        telling=("The first stall sold {name} {a}.", "Then {name} paid for {a}.",
                 "Into the small bag went {a}.", "Half the money was spent on {a}."),
        other=("For the soup there were also {b}.", "A farmer added {b} for little money.",
               "At the bottom of the big bag lay {b}."),
        denied=("There were {d} too, but they were too dear.",
                "{name} looked at the {d} and left them."),
        closing=("By ten the stalls were empty.", "Then it began to rain.", ""),
    ),
    Domain(
        name="journey",
        ask="List the cities that {name} visited. "
        "Leave out countries, and cities that {name} did not see.",
        wanted=("Lyon", "Porto", "Krakow", "Ghent", "Turin", "Seville", "Bergen", "Graz", "Leipzig",
                "Basel", "Aarhus", "Cork", "Split", "Tampere"),
        excluded=("France", "Portugal", "Poland", "Belgium", "Italy", "Spain", "Norway", "Austria",
                  "Germany", "Denmark"),
        opening=("Last summer {name} travelled by train.", "{name} kept a diary of the journey.",
                 "After the exam {name} took three weeks off."),
        telling=("The best days were those in {a}.", "{name} slept in small hotels in {a}.",
                 "There are many photographs of {a}.", "The old towns of {a} were full of people."),
        other=("The money came from a friend in {b}.", "On the train {name} read a history of {b}.",
               "Postcards went to cousins in {b}."),
        denied=("A strike closed the line to {d}, so that stop fell away.",
                "{name} had meant to see {d} as well, but the time ran out."),
        closing=("The way back took a whole day.", "The suitcase was lost for a week.", ""),
    ),
    Domain(
        name="orchestra",
        ask="List the instruments that {name} can play. "
        "Leave out sports, and instruments that {name} cannot play.",
        wanted=("the violin", "the flute", "the trumpet", "the harp", "the cello", "the oboe",
                "the guitar", "the clarinet", "the accordion", "the drums", "the organ",
                "the banjo"),
        excluded=("tennis", "football", "table tennis", "basketball", "golf", "hockey",
                  "volleyball",
                  "badminton", "cricket", "rugby"),
        opening=("{name} grew up in a musical house.",
                 "The school paper printed a portrait of {name}.",
                 "Everyone in the village knows {name}."),
        telling=("At six there were lessons on {a}.", "On Sundays {name} practises {a}.",
                 "The youth orchestra needed someone for {a}, and {name} stepped in.",
                 "At weddings {name} is asked to bring {a}."),
        other=("In the summer there is time for {b}.", "With friends {name} plays {b}.",
               "A cup on the shelf was won in {b}."),
        denied=("{name} has never learnt {d}.", "A sister plays {d}, which {name} cannot."),
        closing=("The next concert is in May.", "Practice ends at nine.", ""),
    ),
    Domain(
        name="park",
        ask="List the birds that {name} saw. "
        "Leave out other animals, and birds that {name} did not see.",
        wanted=("swans", "robins", "herons", "sparrows", "owls", "magpies", "storks", "woodpeckers",
                "swallows", "crows", "pigeons", "kingfishers"),
        excluded=("foxes", "squirrels", "frogs", "hedgehogs", "deer", "rabbits", "beavers", "bats",
                  "lizards", "otters"),
        opening=("{name} went round the lake before breakfast.",
                 "With a new pair of glasses {name} sat in the hide.",
                 "The walk through the park took {name} two hours."),
        telling=("Near the bridge there were {a}.", "The notebook of {name} lists {a}.",
                 "High up in the trees {name} found {a}.", "The best pictures show {a}."),
        other=("In the grass {name} noticed {b}.", "Tracks in the mud came from {b}.",
               "On the way home {name} met {b}."),
        denied=("{name} had hoped for {d}, but none came.", "The {d} had left a week before."),
        closing=("At nine the park grew loud.", "The coffee had gone cold by then.", ""),
    ),
)  # fmt: skip

CHINESE = (
    Domain(
        name="clinic",
        ask="请列出{name}现在有的症状。不要列出疾病，也不要列出{name}没有的症状。",
        wanted=("头痛", "喉咙痛", "恶心", "干咳", "头晕", "皮疹", "腰痛", "流鼻涕", "胃痛", "乏力",
                "发冷", "气短", "脚肿", "视力模糊", "盗汗", "食欲不振"),
        excluded=("哮喘", "糖尿病", "疟疾", "麻疹", "肺炎", "关节炎", "痛风", "肺结核", "癫痫",
                  "肝炎"),
        opening=("星期一{name}去了诊所。", "今天早上医生给{name}看了病。",
                 "中午以前{name}给医院打了电话。"),
        telling=("这两天一直有{a}。", "护士首先记下的是{a}。", "从昨晚起{name}说自己有{a}。",
                 "这次来看病是因为{a}。"),
        other=("家里的病历上写着{b}。", "{name}小时候得过{b}。", "医生想要排除{b}。",
               "邻居正在治疗{b}。"),
        denied=("没有出现{d}。", "问到{d}，{name}说没有。"),
        closing=("接下来要验血。", "一个星期后复诊。", ""),
    ),
    Domain(
        name="market",
        ask="请列出{name}买了的水果。不要列出蔬菜，也不要列出没有买的水果。",
        wanted=("苹果", "梨", "樱桃", "李子", "葡萄", "柠檬", "桃子", "芒果", "香蕉", "杏子",
                "草莓",
                "哈密瓜", "石榴", "荔枝"),
        excluded=("胡萝卜", "洋葱", "土豆", "大葱", "白菜", "菠菜", "萝卜", "芹菜", "茄子", "豆角"),
        opening=("星期六{name}去了菜市场。", "{name}在市场里装满了两个袋子。",
                 "市场七点开门，{name}来得很早。"),
        telling=("在第一个摊位{name}买了{a}。", "接着又付钱买了{a}。", "小袋子里装的是{a}。",
                 "一半的钱花在了{a}上。"),
        other=("为了做汤还买了{b}。", "一位农民便宜卖了{b}。", "大袋子底下放着{b}。"),
        denied=("那里也有{d}，可是太贵，就没买。", "{name}看了看{d}，没有要。"),
        closing=("十点钟摊位就空了。", "后来下起了雨。", ""),
    ),
    Domain(
        name="journey",
        ask="请列出{name}去过的城市。不要列出省份，也不要列出没去成的城市。",
        wanted=("苏州", "洛阳", "桂林", "青岛", "大理", "泉州", "敦煌", "绍兴", "烟台", "丽江",
                "扬州",
                "开封", "厦门", "西安"),
        excluded=("广东", "四川", "湖南", "贵州", "河北", "山西", "湖北", "安徽", "辽宁", "吉林"),
        opening=("去年夏天{name}坐火车旅行。", "{name}写了一本旅行日记。",
                 "考完试以后{name}休了三个星期的假。"),
        telling=("最开心的日子是在{a}度过的。", "{name}在{a}住的都是小旅馆。",
                 "相册里有很多{a}的照片。", "{a}的老街上到处是人。"),
        other=("路费是一位{b}的朋友借的。", "火车上{name}读了一本讲{b}历史的书。",
               "明信片寄给了{b}的亲戚。"),
        denied=("去{d}的线路停运，只好取消。", "{name}本来还想去{d}，可惜时间不够。"),
        closing=("回程用了整整一天。", "行李箱丢了一个星期。", ""),
    ),
    Domain(
        name="orchestra",
        ask="请列出{name}会演奏的乐器。不要列出运动项目，也不要列出{name}不会的乐器。",
        wanted=("小提琴", "长笛", "小号", "竖琴", "大提琴", "二胡", "吉他", "单簧管", "手风琴",
                "古筝",
                "琵琶", "笛子"),
        excluded=("网球", "足球", "篮球", "排球", "羽毛球", "乒乓球", "游泳", "滑雪", "长跑",
                  "击剑"),
        opening=("{name}在一个爱音乐的家庭长大。", "校报上登了一篇介绍{name}的文章。",
                 "村里人人都认识{name}。"),
        telling=("六岁时开始学{a}。", "每个星期天{name}都练习{a}。",
                 "少年乐团缺人演奏{a}，{name}就顶上了。",
                 "办婚礼时人们常请{name}演奏{a}。"),
        other=("夏天有时间就去{b}。", "{name}常和朋友一起练{b}。", "架子上的奖杯是{b}比赛得的。"),
        denied=("{name}从来没学过{d}。", "姐姐会{d}，{name}却不会。"),
        closing=("下一场音乐会在五月。", "练习到九点结束。", ""),
    ),
    Domain(
        name="park",
        ask="请列出{name}看到的鸟。不要列出其他动物，也不要列出没看到的鸟。",
        wanted=("天鹅", "麻雀", "白鹭", "猫头鹰", "喜鹊", "啄木鸟", "燕子", "乌鸦", "鸽子", "翠鸟",
                "大雁", "鸳鸯"),
        excluded=("狐狸", "松鼠", "青蛙", "刺猬", "小鹿", "兔子", "蝙蝠", "壁虎", "水獭", "黄鼠狼"),
        opening=("早饭前{name}绕着湖走了一圈。", "{name}带着新望远镜坐在草棚里。",
                 "{name}在公园里走了两个小时。"),
        telling=("桥边有{a}。", "{name}的本子上记着{a}。", "在高高的树上{name}发现了{a}。",
                 "拍得最好的照片是{a}。"),
        other=("草地里{name}看到了{b}。", "泥地上的脚印是{b}留下的。", "回家路上{name}遇见了{b}。"),
        denied=("{name}本想看{d}，可是一只也没来。", "{d}一个星期前就飞走了。"),
        closing=("九点钟公园热闹起来。", "那时咖啡已经凉了。", ""),
    ),
)  # fmt: skip

DOMAINS: Mapping[str, tuple[Domain, ...]] = MappingProxyType({"en": ENGLISH, "zh": CHINESE})
