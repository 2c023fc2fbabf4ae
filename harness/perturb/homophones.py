"""Common Chinese characters by sound, for slips of input by pinyin.

Made for this project. A line is a syllable and tone, and characters read so. Each character stands
in one group only. Left out: numerals (also the banker's), negations, question words, pronouns, the
compass, units and words of reckoning, since a slip there would change what is asked.
"""

from __future__ import annotations

_GROUPS = """
ai4 爱 碍 隘
an4 案 暗 岸 按
ban4 办 伴 扮 拌
bao3 保 宝 饱 堡
bao4 报 抱 爆 豹
bi3 笔 彼 鄙
bi4 必 毕 闭 壁 币
bian4 变 便 辩 遍
bing4 病 并
bo1 波 播 拨 玻
bu4 部 布 步
cai2 才 材 财 裁
cai3 彩 采 踩
can1 参 餐
ce4 测 策 册 侧
chang2 常 尝 偿
chang4 唱 畅 倡
cheng2 成 城 程 诚 承
chi3 齿 耻
chu1 出 初
chu4 处 触
chuan2 传 船
ci2 词 辞 磁 慈
cong2 从 丛
da2 答 达
dai4 带 代 待 袋 戴
dan1 单 担 丹
dan4 但 蛋 淡 弹
dao4 到 道 盗 稻
deng1 灯 登
di4 地 弟 帝 递
dian4 店 电 殿 垫
ding4 定 订
dong4 动 洞 冻 栋
du2 读 独 毒
duan4 段 断 锻
er2 儿 而
fan2 凡 烦 繁
fan4 饭 犯 范 泛
fang2 房 防 妨
fei1 飞 啡
fen1 纷 芬
feng1 风 封 丰 峰 蜂
fu2 服 福 符 扶 浮
fu4 父 付 富 副 复
gai4 盖 概
gan3 感 敢 赶
gang1 刚 钢 纲
gao1 高 糕 膏
ge1 歌 哥 割
gong1 工 公 功 攻 宫
gong4 共 贡
gou4 够 购 构
gu3 古 股 骨 鼓
gu4 故 顾 固 雇
guan1 关 观 官
guan3 管 馆
gui4 贵 桂 柜
guo3 果 裹
hai2 还 孩
han4 汉 汗 旱
hao4 号 耗
he2 河 合 盒
hong2 红 洪 虹
hou4 后 厚 候
hu2 湖 胡 壶 糊
hua1 花 哗
hua4 话 画 化 划
huan4 换 患 幻
huang2 黄 皇 煌
hui4 会 惠 汇 慧
huo4 或 货 获
ji1 机 鸡 基 激
ji2 级 极 急 集 即
ji4 记 计 季 技 继
jia1 家 佳
jia4 价 架 假 嫁
jian1 间 坚 肩 尖
jian4 见 件 建 健 渐
jiang1 江 将 姜
jiao1 交 教 郊 焦
jiao3 脚 饺
jie1 接 街 阶
jie2 节 结 洁
jie4 界 借 介
jin1 今 金
jin4 进 近 尽
jing1 经 京 精 惊
jing4 静 境 竞 镜
ju4 句 具 距 剧
jue2 觉 决 绝
jun1 军 均 君
ke1 科 棵 颗
ke4 课 客
kuai4 快 块 筷
lan2 蓝 兰 篮
lao3 老 姥
li3 理 礼 李
li4 力 立 利 历 丽
lian4 练 恋 炼
liang2 良 粮 凉
lin2 林 临 邻
ling3 领 岭
liu2 流 留 刘
long2 龙 笼 隆
lu4 路 录 露 鹿
lü4 绿 律 率
man4 慢 漫
mao2 毛 矛
mao4 帽 贸 冒
mei2 煤 梅 眉
mei3 美 每
ming2 明 名 鸣
mu4 木 目 墓 幕
peng2 朋 棚
pian4 片 骗
ping2 平 瓶 评 苹
qi2 其 奇 旗 骑 齐
qi4 气 汽 器 弃
qian2 前 钱 潜
qiang2 强 墙
qin1 亲 侵
qing1 清 轻 青
qing2 情 晴
qiu2 球 求
qu4 去 趣
quan2 全 权 泉
ren4 认 任
rong2 容 荣 绒
sha1 沙 杀 纱
shan1 山 衫 删
shao1 烧 稍
she4 设 社 射 涉
shen1 身 深 申 伸
sheng1 生 声 升
sheng4 胜 圣 剩
shi1 师 诗 失 施
shi2 食 石 实
shi3 使 史 始 驶
shi4 事 市 世 室 式
shou3 手 首 守
shu1 书 输 舒 叔
shu4 树 术 束
shui4 睡 税
si1 思 丝 司 私
song4 送 颂
su4 速 素 诉
tai4 太 态
tan2 谈 坛 潭
tang2 糖 堂 塘
ti2 题 提 蹄
tian1 天 添
tiao2 条 调
ting2 停 庭 亭
tong2 同 童 铜
tu2 图 途 徒
wan2 玩 完 丸
wang4 望 忘 旺
wei2 围 维 唯
wei4 味 卫 胃
wen2 文 闻 蚊
wu4 物 误 雾 务
xi1 息 希 吸 溪
xi2 习 席 袭
xia4 夏 吓
xian1 先 鲜 仙
xian4 现 线 县 献
xiang1 香 乡 箱
xiang4 向 象 像 项
xiao4 校 笑 效
xie2 鞋 协 斜
xin1 心 新 辛
xing2 行 形 型
xu1 需 须 虚
ya1 鸭 押 压
yan2 言 研 严 盐
yan4 燕 验 宴
yang2 羊 阳 洋 扬
yao4 要 药 耀
ye4 夜 业 页 叶
yi4 意 义 艺 易 议
yin1 因 音 阴
ying1 英 鹰 樱
you2 油 游 由 邮
yu2 鱼 于 娱
yu3 雨 语 羽
yu4 预 育 遇 玉
yuan2 原 园 圆
yuan4 院 愿
yue4 越 阅
yun4 运 韵
zai4 在 再
zao3 早 澡
zhan4 站 战 占
zhao4 照 赵
zhen1 真 针 珍
zheng4 正 证 政
zhi1 知 之 支 枝
zhi2 直 值 职 植
zhi3 只 纸 指 址
zhi4 至 志 制 治
zhong1 中 钟 终
zhong4 种 重 众
zhou1 周 州 洲
zhu4 住 注 祝 助
zhuang1 装 庄
zi4 字 自
zou4 奏 揍
zu2 足 族
zuo4 作 做 坐 座
"""


def _table() -> dict[str, str]:
    """Return character → the characters of its group, itself among them."""
    groups = ["".join(line.split()[1:]) for line in _GROUPS.strip().splitlines()]
    return {character: group for group in groups for character in group}


HOMOPHONES: dict[str, str] = _table()
"""Character → the characters of the same sound and tone, itself among them."""
