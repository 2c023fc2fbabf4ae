"""Given names and gendered words. Chosen for this project; common, of mixed origin.

Left out of the names: those that are also words, months, places or surnames of note, and those
given to women and men alike.
"""

from __future__ import annotations

from harness.perturb.edit import listed, words

NAMES = {
    "en": {
        "f": listed(
            """
            Aisha Alice Amina Anna Beatrice Bridget Carmen Catherine Chloe Clara Deborah
            Diana Elena Eleanor Emily Emma Fatima Fiona Hannah Helen Imani Ingrid Isabel
            Jane Janet Jennifer Jessica Julia Karen Keisha Lakisha Latoya Laura Leila
            Linda Lucia Lucy Maria Martha Mary Mei Molly Monica Nadia Natalie Nina Olivia Priya
            Rachel Rebecca Rosa Sally Sarah Shanice Sofia Sophie Susan Tamika Teresa Wendy Yuki
            Zoe
            """
        ),
        "m": listed(
            """
            Adam Ahmed Alan Andrew Antonio Arjun Ben Bob Brian Carlos Charles Daniel Darius David
            Deshawn Diego Edward Eric Ethan Felix Fred Gary George Hassan Henry Hiroshi Hugo Ivan
            Jamal James Javier Jerome Jim John Jose Joseph Karim Keith Kevin Kwame Lamar Leroy
            Liam Luis Malik Marcus Matthew Michael Miguel Mohammed Nathan Oliver Omar Oscar Paul
            Peter Raj Ralph Richard Robert Sam Simon Stephen Terrence Thomas Tim Tom Tyrone
            Vikram Walter William Yusuf
            """
        ),
    },
    "zh": {
        "f": listed(
            """
            小红 小丽 小芳 小娟 小梅 小燕 小玲 小雪 小倩 小婷 小敏 小莉 韩梅梅 王芳 李娜 张丽 刘婷
            """
        ),
        "m": listed(
            """
            小明 小刚 小强 小军 小亮 小杰 小伟 小勇 小龙 小虎 小鹏 小辉 李雷 王伟 张强 刘洋 陈杰
            """
        ),
    },
}
"""By language and gender (f, m)."""

WOMEN = words(
    """
    woman women girl girls lady ladies mother mothers mom mum mommy mummy daughter daughters sister
    sisters wife wives aunt aunts grandmother grandmothers grandma granddaughter granddaughters
    niece nieces queen queens princess princesses actress actresses waitress waitresses bride
    brides girlfriend girlfriends female females mrs ms miss madam ma'am nun nuns widow widows
    heroine goddess goddesses duchess empress hen hens cow cows mare mares ewe ewes stepmother
    stepsister housewife policewoman businesswoman saleswoman pregnant
    """
)
MEN = words(
    """
    man men boy boys gentleman gentlemen father fathers dad dads daddy son sons brother brothers
    husband husbands uncle uncles grandfather grandfathers grandpa grandson grandsons nephew
    nephews king kings prince princes actor actors waiter waiters groom grooms boyfriend
    boyfriends male males mr sir monk monks widower widowers hero god gods duke emperor rooster
    roosters bull bulls stallion ram stepfather stepbrother policeman businessman salesman
    fireman fisherman priest pope
    """
)
WOMEN_ZH = words(
    """
    女 妈 娘 母 姐 妹 妻 奶奶 姥姥 外婆 婆婆 姑 姨 婶 嫂 媳 夫人 太太 公主 皇后
    """
)
MEN_ZH = words(
    """
    男 爸 爹 父 哥 弟 丈夫 爷爷 姥爷 外公 公公 叔 伯 舅 先生 王子 皇帝 国王 小伙
    """
)
"""Words that say a person's gender, in small letters."""
