"""Names of months in the languages that logs are written in, whatever the machine's own language is."""

from typing import Final

from app.domain.times.words import words

# In lower case, without a dot at the end. Names that mean different months in two languages are left out: Polish and
# Croatian disagree about lipiec/lipanj and listopad, Czech and Croatian about srpen/srpanj.
_MONTHS: Final = (
    "jan january janv janvier jän jänner januar januari ene enero gen gennaio janeiro ian ianuarie sty stycznia "
    "tammi oca ocak янв января",
    "feb february févr fév fevr février fevrier februar februari febrero febbraio fev fevereiro febr februarie "
    "lut lutego helmi şub şubat фев февр февраля",
    "mar march mars mär märz mrz marzo març março maart mrt marts martie márc marca maalis mart мар марта",
    "apr april avr avril abr abril aprile ápr aprilie kwi kwietnia huhti nis nisan апр апреля",
    "may mai mayo mag maggio maio mei maj máj maja touko mayıs май мая",
    "jun june juin juni junio giu giugno junho jún iun iunie cze czerwca kesä haz haziran июн июня",
    "jul july juil juillet juli julio lug luglio julho júl iul iulie lipca heinä tem temmuz июл июля",
    "aug august août aout aoû ago agosto augustus augusti agt agu sie sierpnia elo ağu ağustos авг августа",
    "sep sept september septembre septiembre set sett settembre setembro septembrie szept wrz września syys "
    "eyl eylül сен сент сентября",
    "oct october octobre okt oktober octubre ott ottobre out outubro octombrie paź października loka eki ekim "
    "окт октября",
    "nov november novembre noviembre novembro noiembrie kas kasım marras ноя нояб ноября",
    "dec december déc décembre decembre dez dezember dic diciembre dicembre dezembro des desember decembrie gru "
    "grudnia joulu ara aralık дек декабря",
)

MONTH_OF: Final[dict[str, int]] = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}
"""The number of the month that a name in lower case stands for."""


def month_named(name: str) -> int | None:
    """The month that a name in any case stands for, None for a word that is no month."""
    return MONTH_OF.get(name.rstrip(".").lower())


WEEKDAYS: Final = words(
    "mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday mo di "
    "mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag lun mar mer jeu ven sam dim lundi "
    "mardi mercredi jeudi vendredi samedi dimanche mié mie jue vie sáb sab dom lunes martes miércoles jueves "
    "viernes sábado domingo gio lunedì martedì mercoledì giovedì venerdì sabato domenica seg ter qua qui sex "
    "segunda terça quarta quinta sexta ma wo vr za zo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag "
    "man tir ons tor fre lør søn mån tis lör sön пн вт ср чт пт сб вс"
)
"""Names of days of the week, in lower case: they tell nothing that the date does not."""
