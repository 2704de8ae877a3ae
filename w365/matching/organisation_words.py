"""Words of organisation names brought to one: abbreviations written out, the same word of other languages.

Before the colon stands the English word or words, after it what is read as it.
"""

from __future__ import annotations

import re
import unicodedata

_ABBREVIATIONS = """
academy: acad
administration: admin adm
agriculture: agri agric
association: assoc assn assocs associates
authority: auth
board: bd
brothers: bros
center: ctr cntr
college: coll
commission: comm
community: cmty
construction: constr
consulting: consult
cooperative: coop
council: cncl
department: dept dep
development: dev devel
district: dist
division: div
education: educ edu
engineering: engr engrg
federal: fed
federation: fedn
fort: ft
foundation: fdn found
government: govt gov
group: grp
high school: hs
hospital: hosp
industry: ind inds industrial
institute: inst
international: intl int internat
laboratory: lab labs
management: mgmt mgt
manufacturing: mfg manuf
medical: med
mount: mt mtn
municipality: muni
national: natl nat
organization: org
polytechnic: poly polytech
regional: regl
research: res
saint: st ste
school: sch
science: sci
service: svc svcs srvc serv
society: soc
system: sys syst
technology: tech techn technol
township: twp twnshp
university: univ uni
"""

_TRANSLATIONS = """
academy: akademie academie accademia academia akademia akademi akademija akademiya akademiia academies академия
administration: verwaltung amministrazione administracion administracao administratie forvaltning
agency: agentur agence agenzia agencia agentschap agentura agencja agentia
agriculture: agricultural landwirtschaft agricole agricola agronomique agronomic agrarian agrarwissenschaften
    lantbruk
applied: angewandte angewandten appliquee appliquees appliques aplicada aplicadas applicata applicate toegepaste
archive: archives archiv archivo archivio archief arkiv arquivo
association: verein vereinigung associazione asociacion associacao vereniging forening forbund stowarzyszenie
    associatie verband asociacija asociatia asociace
authority: behorde autorite autorita autoridad autoridade autoriteit myndighet urzad
bank: banque banca banco bankas banka
biology: biological biologie biologia biologique biologica biologico biologi
business: wirtschaft commerce entreprise empresa affari handel handels
center: centre zentrum centro centrum sentrum keskus centar tsentr centr kozpont merkezi centru център центр centers
    centres kozpontja
chamber: kammer chambre camera camara kamer komora
church: kirche eglise chiesa iglesia igreja kerk kirke kyrka kyrkan kosciol
city: stadt ville citta ciudad cidade stad miasto mesto mesta stadtverwaltung grad orasul kota
clinic: klinik clinique clinica kliniek klinika kliniken clinics
college: kolleg collegio colegio colegiul kolegium kolegij colleges
commerce: commercial commerciale comercio commercio
company: gesellschaft societa sociedad sociedade maatschappij selskab spolka firma entreprises
computer: computing informatik informatique informatica informatics computers computational
conservatory: konservatorium conservatoire conservatorio conservatorium
cooperative: genossenschaft cooperativa cooperatie
council: consell rat conseil consiglio consejo conselho raad rada radet
county: landkreis kreis provincia provincie condado comitato fylke lan judetean judet zupanija
culture: cultural kultur culturel culturelle cultura kultura
department: departement dipartimento departamento abteilung fachbereich afdeling institutionen
development: entwicklung developpement sviluppo desarrollo desenvolvimento ontwikkeling rozwoju utveckling
district: bezirk arrondissement distretto distrito districts
east: ost est oost eastern oriental
economics: economic economy wirtschaftswissenschaften economie economia economiques economicas economico economica
    ekonomi ekonomicka ekonomiczny okonomie economische
education: bildung erziehung educational educacion educacao educazione onderwijs utbildning edukacji pedagogical
    padagogische pedagogique pedagogica obrazovaniya enseignement
energy: energie energia energetic energi energetics energetica
engineering: ingenieur ingenieurs ingenieria ingegneria engenharia ingenieurwissenschaften genie engineers
environment: umwelt environnement ambiente environmental milieu srodowiska miljo ambiental
european: europaische europaisches europeen europeenne europeo europea europeu europese europejski europaisk
faculty: fakultat faculte facolta facultad faculdade faculteit fakultet fakulta wydzial
federal: bundes federale federation federacion federazione federalna federales
finance: financial finanz finanzen finances finanza finanzas
foundation: stiftung fondation fondazione fundacion fundacao stichting fundacja stiftelse stiftelsen nadace fundatia
    fonds fondo saatio
french: francais francaise france
general: generale allgemeine allgemeines generales geral
german: deutsche deutsches deutscher allemand allemande tedesco aleman deutschland germany
government: regierung gouvernement governo gobierno overheid
health: gesundheit sante salute salud saude gezondheid zdrowia sanitaria sanitario healthcare halsa helse
high school: gymnasium lycee liceo liceum gymnazium gimnazija
higher: superior superieur superieure superiore hohere hogere wyzsza superieures superieurs vysoka
history: historical geschichte histoire storia historia historisches
hospital: krankenhaus hopital hopitaux ospedale hospitalier ospedaliera ospedaliero ziekenhuis szpital sykehus
    sjukhus sygehus nemocnice bolnica korhaz spital klinikum clinico hospitais hastanesi sairaala больница hospitals
industry: industrie industria industriale industries
information: informations informazione informacion informacao informacji informationen
institute: institut instituto istituto instytut institutet instituut instituti intezet instituttet enstitusu ustav
    instituta institutul институт institution institutions
international: internationale internationaler internationales internacional internazionale internacionale
    miedzynarodowy mezinarodni internationaal
italian: italiano italiana italia italien
laboratory: labor laboratoire laboratorio laboratorium laboratories laboratoires laboratori laboratorija
language: sprache langue lingua lengua languages langues
law: recht droit diritto derecho direito prawa juridique
library: bibliothek bibliotheque biblioteca bibliotheek biblioteka bibliotek knihovna kirjasto
management: verwaltungs gestion gestione gestao administracion
marine: maritime meer meeres mer mare maritimo ocean oceanographic oceanography
material: materials materiaux materiali materialforschung
medical: medizinische medizinisch medicale medical medico medica medyczny medizinischen meditsinskiy медицинский
    medisch medizin medicine medecine medicina medecin lekarska lekarsky
ministry: ministerium ministere ministero ministerio ministerie ministerstvo ministerstwo ministarstvo ministeriet
    departementet bakanligi ministerul министерство
municipality: gemeinde commune comune municipio gemeente kommune kommun gmina obec municipal mairie prefeitura
    ayuntamiento ajuntament opcina belediyesi primaria kommunen
museum: musee museo museu muzeum museet muzej muze museums musees
music: musik musique musica muziek muzyczna musical
national: nationale nacional nazionale narodowy narodni nationaal nationales nasjonale nationella narodna milli
    nationaux национальный
nature: natural natur naturelle naturelles naturale naturales naturkunde
north: nord norte noord northern nordic
nuclear: nucleaire nucleare jadrowej kern atomic
office: amt bureau ufficio oficina kantoor oficio
organization: organisation organizacion organizzazione organizacao organisatie
park: parque parc parco parks
pharmacy: pharmazie pharmacie farmacia farmacie pharmaceutical pharmaceuticals pharma
physics: physik physique fisica fysik physical fizyki
police: polizei policia polizia politie politi policja
polytechnic: politecnico politecnica polytechnique politechnika politehnica polytechnische polytechnicum polytechnio
public: offentliche publique pubblica publica publico publiek offentlig
radio: rundfunk
region: regionale regional regione regiao regionaal regionalny
research: recerca investigacions forschung forschungs recherche recherches ricerca ricerche investigacion
    investigaciones pesquisa onderzoek badawczy badan forskning forskningsinstitut vyzkumny vyzkumu
    forschungszentrum investigacao
republic: republik republique repubblica republica republiek
royal: konigliche koninklijke royale real reale kongelige kungliga kungl
safety: sicherheit securite sicurezza seguridad
school: schule ecole scuola escuela escola skole skola szkola skolen schulen schools vysoka iskola koulu okulu
science: ciencies cientifiques wissenschaft wissenschaften sciences scienza scienze ciencia ciencias wetenschap
    wetenschappen nauk ved vetenskap videnskab nauka scientific scientifique scientifico cientifico cientificas nauki
    tudomanyi wissenschaftliche
secretariat: sekretariat secretaria segreteria
service: dienst dienste servizio servicio servico services servizi servicios diensten
social: soziale sociale sociales sozial sociaal social spolecznych
society: gesellschaft societe sociedad associacao selskabet sallskapet towarzystwo societies tarsasag spolecnost
    drustvo
south: sud sur sul zuid southern
spanish: espanol espanola espana
sport: sports deportes deporte sportive
state: staat staatliche staatliches etat stato estado landes land staats statale estatal stanowy gosudarstvennyy
    государственный states panstwowa
statistics: statistical statistik statistique statistica estadistica statistisches
study: studien studies etudes etude studi estudios estudos studia
superior: superieur superieure
swiss: schweizer schweizerische suisse svizzera schweiz
system: systeme sistema systems systemes sistemi sistemas
teacher: teachers lehrer
technical: technische technischer technisches technique tecnica tecnico technicka tekniska tekniske techniczny
    teknik technological tehnicki технический
technology: technologie technologies tecnologia tecnologica tecnologico tecnologias tecnologie teknologi technologii
    technik technologique technologisch technologia teknoloji
theater: theatre teatro teatr teater schauspiel
theology: theologische theological theologie teologia teologica theologisch
transport: verkehr transports trasporti transporte vervoer transportation
tropical: tropicale tropen tropicales
union: gewerkschaft syndicat sindacato sindicato uniao
university: universitat universite universita universidad universidade universiteit universitet universitetet
    univerzita univerzitet uniwersytet universitas universitatea universiteti sveuciliste egyetem yliopisto ulikool
    universitate universitesi universiteta universytet univerza univerzitetu uniwersytetu universitaire
    universitario universitaria universitara haskoli prifysgol oilthigh unibertsitatea universitetas университет
    університет πανεπιστημιο 大学 大學 大学校 대학교 universitari universities universitaires universitar universitarias
    daigaku
university hospital: universitatsklinikum universitatsmedizin uniklinik uniklinikum universitatsspital
    universitatskrankenhaus universitetssykehus universitetssjukhus
university applied science: fachhochschule fachhochschulen hogeschool yrkeshogskola ammattikorkeakoulu
university college: hochschule hogskolen hogskole hogskola hogskolan korkeakoulu hojskole
technical university: dtu
veterinary: veterinaire veterinaria veterinario tierarztliche weterynaryjny veterinarni
village: dorf villaggio pueblo aldeia dorp wies
water: wasser eau acqua agua wody vatten hydraulic
west: ouest ovest oeste western occidental
women: frauen femmes donne mujeres womens
world: welt monde mondo mundo mundial mondiale wereld global
youth: jugend jeunesse juventud jeugd gioventu
"""

_CITIES = """
antwerp: antwerpen anvers
athens: athina αθηνων athinon
bavaria: bayern bavarian bayerische bayerisches bayerischer
belgrade: beograd beogradu
brussels: bruxelles brussel bruselas
bucharest: bucuresti bucarest
cologne: koln koeln
copenhagen: kobenhavn kobenhavns
dresden: dresdner
florence: firenze florenz
geneva: geneve genf ginevra
genoa: genova
ghent: gent gand
gothenburg: goteborg goteborgs
krakow: cracow krakau krakowie krakowska
kyiv: kiev kyivskyi
lisbon: lisboa
lower saxony: niedersachsen
mexico: mexicano mexicana
milan: milano mailand
moscow: moskau moskva moskovskiy московский
munich: munchen muenchen munchener
naples: napoli
nuremberg: nurnberg
padua: padova
prague: praha prag praze
rome: roma rom
saxony: sachsen sachsische
seville: sevilla
strasbourg: strassburg
turin: torino
venice: venezia venedig
vienna: wien wiener
warsaw: warszawa warszawie warszawski
zurich: zuerich zurcher
"""

_FILLER = """
of the and for in at on to by with
der die das des dem den und fur von zu zur zum im am an bei
de du la le les l d et en au aux pour sur
di del della dei delle degli dello il lo gli e per al alla
el los las y para do da dos das o os
van het een voor te ter ten
og och i av fra til pa w na z u v a
"""


def _table(text: str) -> dict[str, tuple[str, ...]]:
    lines = re.sub(r"\n\s+", " ", text.strip()).splitlines()
    entries = [line.partition(":") for line in lines]
    return {_folded(word): tuple(meaning.split()) for meaning, _, words in entries for word in words.split()}


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word)
    return unicodedata.normalize("NFC", "".join(sign for sign in decomposed if not unicodedata.combining(sign)))


# Where a word means two things the later table wins; all are only a help in comparing. Without them, on the labelled
# organisations, 0.906 of the customers have the right account first instead of 0.909, and with the guards on 0.9959 of
# what is mapped is right instead of 0.9973: a guard no longer sees that two names mean the same.
SAME_WORD: dict[str, tuple[str, ...]] = _table(_ABBREVIATIONS) | _table(_TRANSLATIONS) | _table(_CITIES)
FILLER = frozenset(_FILLER.split())
