"""Latin names written in other scripts, as a clerk there might; for training and, from other lists, for measuring."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import cache

from anyascii import anyascii


def _table(written: str) -> dict[str, str]:
    """ "a=b c=d" as a mapping."""
    return {old: new for old, _, new in (pair.partition("=") for pair in written.split())}


_CYRILLIC: Mapping[str, str] = _table(
    "shch=щ sch=щ zh=ж kh=х ts=ц ch=ч sh=ш yu=ю ya=я yo=ё ye=е iy=ий yy=ый ey=ей ay=ай oy=ой uy=уй ii=ий "
    "a=а b=б v=в g=г d=д e=е z=з i=и y=ы k=к l=л m=м n=н o=о p=п r=р s=с t=т u=у f=ф h=х c=к q=к w=в x=кс "
    "j=дж ph=ф"
)
_ARABIC: Mapping[str, str] = _table(
    "sh=ش kh=خ gh=غ th=ث dh=ذ ou=و oo=و ee=ي ei=ي ay=ي ai=ي b=ب t=ت j=ج h=ح d=د r=ر z=ز s=س f=ف q=ق k=ك "
    "l=ل m=م n=ن w=و y=ي p=ب v=ف g=ج c=ك x=كس ch=تش"
)
_FIRST_VOWEL = {"a": "ا", "e": "ا", "i": "ا", "o": "ا", "u": "ا"}
_VOWEL = {"a": "ا", "e": "", "i": "ي", "o": "و", "u": "و"}
_OTHER_LETTERS = {"ه": "ح", "ح": "ه", "ت": "ط", "س": "ص", "د": "ض", "ز": "ظ"}

# Syllables of Korean names as the North (and most lists) writes them.
_HANGUL: Mapping[str, str] = _table(
    "kim=김 ri=리 pak=박 choe=최 chong=정 jong=정 kang=강 jo=조 cho=조 yun=윤 jang=장 chang=장 "
    "rim=림 im=임 han=한 o=오 so=서 sin=신 kwon=권 hwang=황 an=안 song=성 ryu=류 yu=유 hong=홍 "
    "jon=전 chon=천 ko=고 mun=문 son=손 yang=양 ryang=량 pae=배 paek=백 ho=호 nam=남 sim=심 ro=로 "
    "no=노 ha=하 kwak=곽 cha=차 ju=주 chu=주 u=우 ku=구 min=민 ji=지 chi=지 jin=진 chin=진 om=엄 "
    "chae=채 won=원 pang=방 kong=공 hyon=현 ham=함 to=도 sok=석 myong=명 ki=기 kum=금 ok=옥 in=인 "
    "un=은 il=일 yong=영 kyong=경 su=수 ung=웅 chol=철 ryong=룡 hui=희 mi=미 yon=연 hye=혜 suk=숙 "
    "sun=순 kwang=광 kuk=국 tae=태 hun=훈 jae=재 sang=상 pyong=병 hak=학 hwan=환 jun=준 chun=춘 "
    "sik=식 kun=근 hyok=혁 ja=자 hyong=형 pok=복 tok=덕 tong=동 hae=해 pom=범 sung=승 bong=봉 "
    "pong=봉 ae=애 hung=흥 gil=길 kil=길 dong=동 il-=일 jung=중 se=세 kon=건 gon=건 kyu=규 ryol=렬 "
    "nam-=남 hwa=화 ran=란 yol=열 sol=설"
)


def cyrillic(name: str, dice: random.Random) -> str:
    """By the sounds of Russian."""
    del dice
    return _spelled(name, _CYRILLIC).title()


def arabic(name: str, dice: random.Random) -> str:
    """Short vowels left out as they come, letters that sound alike taken for each other."""
    return " ".join(_arabic_word(word, dice) for word in re.findall("[a-z]+", name.lower()))


def hangul(name: str, dice: random.Random) -> str | None:
    """None unless each syllable is a Korean one."""
    del dice
    syllables = re.findall("[a-z]+", name.lower().replace("'", ""))
    if not 2 <= len(syllables) <= 4 or any(each not in _HANGUL for each in syllables):
        return None
    return "".join(_HANGUL[each] for each in syllables)


def han(name: str, dice: random.Random) -> str | None:
    """None unless it is pinyin, the family name first."""
    words = re.findall("[a-z]+", name.lower())
    syllables = [part for word in words for part in _pinyin_parts(word)]
    if not 2 <= len(syllables) <= 4 or any(each not in _pinyin() for each in syllables):
        return None
    return "".join(dice.choice(_pinyin()[each]) for each in syllables)


def _spelled(name: str, table: Mapping[str, str]) -> str:
    pattern = "|".join(sorted(table, key=lambda each: -len(each)))
    return re.sub(pattern, lambda match: table[match.group()], name.lower().replace("'", "")).replace(",", "")


def _arabic_word(word: str, dice: random.Random) -> str:
    found, rest = "", word
    while rest:
        two = rest[:2]
        if two in _ARABIC:
            found, rest = found + _ARABIC[two], rest[2:]
            continue
        letter, rest = rest[0], rest[1:]
        if letter in _VOWEL:
            long = dice.random() < (0.9 if not rest or letter == "u" else 0.5)
            found += _FIRST_VOWEL[letter] if not found else _VOWEL[letter] if long else ""
        elif not found or found[-1] != _ARABIC.get(letter):
            written = _ARABIC.get(letter, "")
            found += _OTHER_LETTERS.get(written, written) if dice.random() < 0.2 else written
    return found


# The characters that names are written with most.
_COMMON_HAN = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华红建国庆志小晓春海燕永玉凤东飞鹏宇浩天佳欣怡梅琳波斌宁健俊峰山德福贵荣光成立新民生正安康乐云雪冬秋月星晨阳波清源泉松柏树森林木水火土金"
    "子长远大中正元亨利贞仁义礼智信忠孝廉耻勤俭良善美真诚毅坚恒定心思诗书画琴棋剑武力胜凯旋祥瑞吉庆喜富"
)


@cache
def _pinyin() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in dict.fromkeys(_COMMON_HAN):
        sound = anyascii(each).lower()
        found[sound] = found.get(sound, "") + each
    return found


def _pinyin_parts(word: str) -> list[str]:
    """Two syllables written as one word."""
    if word in _pinyin():
        return [word]
    ways = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
    return next(([one, other] for one, other in ways if one in _pinyin() and other in _pinyin()), [word])
