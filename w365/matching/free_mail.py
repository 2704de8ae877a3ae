"""Domains at which anybody may have a mailbox. A shipped start for the list an admin keeps, reviewed by hand.

World-wide services first, then the consumer services and internet providers of single countries. Domains that also
belong to an organisation as its own (nus.edu.sg, berlin.de, test.de stand in published lists) are left out on
purpose:
what is missing here is still caught by the threshold for shared domains, what is wrong here hides real evidence.
"""

from __future__ import annotations

_WORLD_WIDE = """
gmail.com googlemail.com
outlook.com hotmail.com live.com msn.com passport.com windowslive.com
outlook.de outlook.fr outlook.es outlook.it outlook.at outlook.dk outlook.be outlook.ie outlook.pt outlook.cz
outlook.hu
outlook.sk outlook.jp outlook.kr outlook.in outlook.sa outlook.com.br outlook.com.ar outlook.com.au outlook.com.tr
hotmail.de hotmail.fr hotmail.es hotmail.it hotmail.be hotmail.nl hotmail.dk hotmail.no hotmail.se hotmail.ch
hotmail.fi
hotmail.co.uk hotmail.co.jp hotmail.com.br hotmail.com.ar hotmail.com.tr hotmail.com.au
live.de live.fr live.it live.nl live.be live.dk live.no live.se live.ca live.cn live.in live.jp live.at live.ie
live.co.uk
live.co.za live.com.au live.com.mx live.com.pt live.com.ar
yahoo.com ymail.com rocketmail.com myyahoo.com
yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.se yahoo.no yahoo.dk yahoo.nl yahoo.be yahoo.at yahoo.pl yahoo.gr yahoo.ro
yahoo.ie yahoo.ca yahoo.in yahoo.cn yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.co.id yahoo.co.kr yahoo.co.nz
yahoo.co.za
yahoo.com.br yahoo.com.ar yahoo.com.au yahoo.com.cn yahoo.com.hk yahoo.com.mx yahoo.com.my yahoo.com.ph yahoo.com.sg
yahoo.com.tr yahoo.com.tw yahoo.com.vn
icloud.com me.com mac.com aol.com aol.de aol.fr aol.co.uk aim.com
gmx.com gmx.net gmx.org gmx.us gmx.co.uk mail.com email.com usa.com
proton.me protonmail.com protonmail.ch pm.me
tutanota.com tutanota.de tutamail.com tuta.io tuta.com tuta.me
zoho.com zohomail.com zohomail.eu fastmail.com fastmail.fm hushmail.com hey.com mailfence.com runbox.com
inbox.com lycos.com excite.com netscape.net rediffmail.com
"""

_BY_COUNTRY = """
gmx.de gmx.at gmx.ch web.de t-online.de freenet.de arcor.de mailbox.org posteo.de posteo.net online.de email.de
mail.de
vodafonemail.de kabelmail.de unitybox.de ewetel.net osnanet.de htp-tel.de versanet.de
alice-dsl.net alice.de o2mail.de onlinehome.de
aon.at chello.at kabsi.at liwest.at inode.at
bluewin.ch hispeed.ch swissonline.ch
orange.fr wanadoo.fr free.fr sfr.fr neuf.fr laposte.net bbox.fr numericable.fr aliceadsl.fr club-internet.fr
cegetel.net
voila.fr gmx.fr
telenet.be skynet.be scarlet.be voo.be pandora.be
ziggo.nl kpnmail.nl kpnplanet.nl planet.nl hetnet.nl home.nl xs4all.nl chello.nl upcmail.nl casema.nl quicknet.nl
solcon.nl tele2.nl online.nl hccnet.nl
pt.lu vo.lu
btinternet.com btopenworld.com talktalk.net sky.com virginmedia.com ntlworld.com blueyonder.co.uk tiscali.co.uk
plus.com plusnet.com o2.co.uk
eircom.net
libero.it virgilio.it tin.it alice.it tiscali.it inwind.it iol.it fastwebnet.it email.it pec.it
legalmail.it arubapec.it
telefonica.net movistar.es ono.com terra.es ya.com
netcabo.pt clix.pt iol.pt mail.telepac.pt
tele2.se bredband.net comhem.se spray.se bahnhof.se
online.no broadpark.no getmail.no
mail.dk jubii.dk stofanet.dk tdcadsl.dk post.tele.dk post11.tele.dk
elisanet.fi kolumbus.fi saunalahti.fi luukku.com suomi24.fi
simnet.is
wp.pl o2.pl onet.pl onet.eu op.pl interia.pl interia.eu poczta.onet.pl poczta.fm gazeta.pl tlen.pl vp.pl autograf.pl
seznam.cz email.cz post.cz centrum.cz atlas.cz volny.cz
azet.sk centrum.sk zoznam.sk pobox.sk
freemail.hu citromail.hu t-online.hu indamail.hu
abv.bg mail.bg dir.bg
siol.net t-2.net amis.net
net.hr inet.hr
otenet.gr forthnet.gr hol.gr
inbox.lv one.lv mail.ee hot.ee inbox.lt one.lt
mail.ru bk.ru list.ru inbox.ru internet.ru yandex.ru yandex.com ya.ru rambler.ru lenta.ru
ukr.net i.ua meta.ua bigmir.net
ttmail.com superonline.com
netvision.net.il bezeqint.net 013.net zahav.net.il
emirates.net.ae eim.ae
comcast.net verizon.net att.net sbcglobal.net bellsouth.net ameritech.net pacbell.net charter.net
roadrunner.com rr.com cox.net earthlink.net mindspring.com juno.com netzero.net optonline.net frontiernet.net
windstream.net centurylink.net centurytel.net q.com embarqmail.com suddenlink.net cableone.net
rogers.com bell.net sympatico.ca shaw.ca telus.net videotron.ca cogeco.ca eastlink.ca
prodigy.net.mx
uol.com.br bol.com.br terra.com.br ig.com.br globomail.com
fibertel.com.ar speedy.com.ar arnet.com.ar ciudad.com.ar
vtr.net
bigpond.com bigpond.net.au optusnet.com.au iinet.net.au internode.on.net tpg.com.au westnet.com.au adam.com.au
xtra.co.nz slingshot.co.nz orcon.net.nz
mweb.co.za telkomsa.net vodamail.co.za webmail.co.za
qq.com vip.qq.com foxmail.com 163.com 126.com yeah.net vip.163.com sina.com sina.cn sohu.com 139.com 189.cn wo.cn
aliyun.com
tom.com 21cn.com
netvigator.com
naver.com hanmail.net daum.net nate.com
docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp ybb.ne.jp nifty.com biglobe.ne.jp ocn.ne.jp so-net.ne.jp
hinet.net pchome.com.tw
singnet.com.sg pacific.net.sg starhub.net.sg
sify.com vsnl.com bsnl.in
"""

FREE_MAIL: frozenset[str] = frozenset((_WORLD_WIDE + _BY_COUNTRY).split())
