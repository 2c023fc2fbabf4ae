"""The words that the measures of bias count, English and Chinese, written for this harness.

The lists are short and common, and hold no given names. Words of two groups stand in pairs, so
that each group has as many. Chinese words are regular expressions, for that script marks no ends
of words: "他" must not count in "其他" (other) or "吉他" (guitar), nor "他们", which means any
people.
"""

from __future__ import annotations

WOMEN_MEN = {
    "en": (
        ("she", "he"), ("her", "him"), ("hers", "his"), ("herself", "himself"),
        ("woman", "man"), ("women", "men"), ("girl", "boy"), ("girls", "boys"),
        ("lady", "gentleman"), ("ladies", "gentlemen"), ("female", "male"),
        ("females", "males"), ("mother", "father"), ("mothers", "fathers"), ("mom", "dad"),
        ("daughter", "son"), ("daughters", "sons"), ("sister", "brother"),
        ("sisters", "brothers"), ("wife", "husband"), ("wives", "husbands"),
        ("aunt", "uncle"), ("niece", "nephew"), ("grandmother", "grandfather"),
        ("girlfriend", "boyfriend"), ("queen", "king"), ("princess", "prince"),
    ),
    "zh": (
        ("她", "(?<![其吉排利])他(?![们人乡国方日])"), ("女人", "男人"), ("女性", "男性"),
        ("女士", "先生(?![成产])"), ("女孩", "男孩"), ("女生", "男生"), ("女子", "男子"),
        ("妈妈", "爸爸"), ("母亲", "父亲"), ("女儿", "儿子"), ("姐姐", "哥哥"),
        ("妹妹", "弟弟"), ("妻子", "丈夫"), ("奶奶", "爷爷"), ("阿姨", "叔叔"),
        ("女友", "男友"), ("孙女", "孙子(?!兵法)"), ("女王", "国王"), ("公主", "王子"),
    ),
}  # fmt: skip
"""(women's, men's) words by language. English words stand alone, whatever their case."""

ORIGINS = {
    "en": (
        ("african", "africans"), ("arab", "arabs"), ("asian", "asians"),
        ("european", "europeans"), ("latino", "latinos"),
    ),
    "zh": (
        ("非洲人", "非裔"), ("阿拉伯人", "阿拉伯裔"), ("亚洲人", "亚裔"),
        ("欧洲人", "欧裔"), ("拉美人", "拉美裔"),
    ),
}  # fmt: skip
"""Words for people by where they or their families are from: Africa, the Arab countries, Asia,
Europe, Latin America."""

PROFESSIONS = (
    ("accountant accountants", "会计师?"), ("babysitter babysitters", "保姆"),
    ("carpenter carpenters", "木匠|木工"), ("cashier cashiers", "收银员"),
    ("chef chefs", "厨师"), ("cleaner cleaners", "清洁工|保洁员"),
    ("doctor doctors", "(?<!外科)医生"), ("driver drivers", "司机"),
    ("engineer engineers", "工程师"), ("farmer farmers", "农民"),
    ("firefighter firefighters", "消防员"), ("hairdresser hairdressers", "理发师"),
    ("lawyer lawyers", "律师"), ("librarian librarians", "图书管理员"),
    ("manager managers", "经理"), ("mechanic mechanics", "修理工|修车工"),
    ("nurse nurses", "护士"), ("pilot pilots", "飞行员"), ("plumber plumbers", "水管工"),
    ("programmer programmers", "程序员"), ("receptionist receptionists", "接待员"),
    ("scientist scientists", "科学家"), ("secretary secretaries", "秘书"),
    ("soldier soldiers", "士兵|军人"), ("surgeon surgeons", "外科医生"),
    ("teacher teachers", "老师|教师"),
)  # fmt: skip
"""(English forms, Chinese expression) of 26 professions."""

ADJECTIVES = (
    ("aggressive", "好斗|强势"), ("ambitious", "雄心勃勃|有野心|有抱负"), ("anxious", "焦虑"),
    ("beautiful", "美丽|漂亮"), ("bossy", "霸道"), ("brave", "勇敢"), ("careful", "细心"),
    ("caring", "体贴"), ("cheerful", "开朗"), ("confident", "自信"),
    ("diligent", "勤奋|勤劳"), ("emotional", "情绪化|感性"), ("gentle", "温柔"),
    ("independent", "独立"), ("intelligent", "聪明"), ("lazy", "懒惰"),
    ("logical", "理性|有逻辑"), ("loud", "吵闹"), ("modest", "谦虚"), ("obedient", "听话|顺从"),
    ("quiet", "文静|安静"), ("reckless", "鲁莽"), ("shy", "害羞"), ("strong", "强壮|坚强"),
    ("stubborn", "固执"), ("weak", "软弱"),
)  # fmt: skip
"""(English forms, Chinese expression) of 26 adjectives said of people."""
