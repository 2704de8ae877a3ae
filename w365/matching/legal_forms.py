"""Legal forms of companies, as they look after folding: lower case, no accents, punctuation split into blanks."""

from __future__ import annotations

# Unmistakable wherever they stand in a name.
_ANYWHERE = """
gmbh gesmbh mbh ggmbh gmbhcokg ohg kgaa ug
inc incorporated llc llp lllp ltd limited plc corporation pty pte pvt
sarl sarlu sasu eurl srl srls sro spol
doo dooel ead ood eood spzoo kft zrt nyrt
aps oyj oy abp ehf
bvba sprl scrl vzw asbl stichting
sdnbhd bhd ltda eireli sapi
ооо оао зао пао ао тоо тов
株式会社 有限会社 合同会社 有限公司 有限责任公司 股份有限公司 주식회사
"""

# Words of other meanings too: a legal form only at the end of a name or at its beginning.
_AT_AN_END = """
ag kg se sa sas spa sc sca scs snc sapa bv nv cv vof ab as asa a ans da bt hf ev eg ek ekfm co corp cor company lp
pc pllc
kk yk gk sp oo ad dd kd rt sia uab aie sl slu slne sau scp coop cia ltee ltee bhd pt tbk cic cio berhad
"""

_PHRASES = """
gmbh and co kg
gmbh und co kg
ag and co kg
ag und co kg
gmbh co kg
ug and co kg
ug haftungsbeschrankt and co kg
haftungsbeschrankt
and co kg
and co
and company
co kg
co ltd
co inc
company limited
private limited
public limited company
limited liability company
sp z o o
z o o
sp j
sp k
s r o
spol s r o
a s
s a
s a s
s l
s l u
s c
s p a
s r l
s r l s
s a r l
s c r l
s c a
s n c
s p r l
s a de c v
sa de cv
s de r l de c v
s de rl de cv
s a b de c v
sab de cv
b v
n v
v o f
v z w
a s b l
e v
e k
e g
e u
g m b h
m b h
k k
l l c
l l p
l t d
l p
p l c
p c
p p
i n c
o u
o y
a b
a d
d o o
d d
k d a
p t y
pty ltd
pte ltd
pvt ltd
proprietary limited
sdn bhd
sendirian berhad
limited by guarantee
gemeinnutzige gmbh
eingetragener verein
societe anonyme
societe par actions simplifiee
societa per azioni
sociedad anonima
sociedade anonima
aktiengesellschaft
aktiebolag
aktieselskab
osakeyhtio
naamloze vennootschap
besloten vennootschap
kabushiki kaisha
"""

ANYWHERE = frozenset(_ANYWHERE.split())
AT_AN_END = frozenset(_AT_AN_END.split()) | ANYWHERE
PHRASES = frozenset(tuple(line.split()) for line in _PHRASES.strip().splitlines())
LONGEST_PHRASE = max(map(len, PHRASES))
