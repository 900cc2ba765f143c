"""Tags and filters of Etalon's pages: numbers, times, badges, icons, charts, links.

    {% load etalon %}
    {{ point.value|amount:metric.unit }}   {% when version.published_at %}
    {% badge "class" change.change_class %}   {% delta old new unit "up" %}   {% line_chart spec %}

What they say is decided in `web.formatting` and `web.badges`; here it becomes HTML.
"""

import json
from datetime import UTC, date, datetime

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from core import clock
from web import badges, charts, entries, formatting, graphs, icons

register = template.Library()

# --- Numbers ---


@register.filter
def amount(value, unit=None):
    """`{{ value|amount:unit }}`: all digits, in the unit."""
    return formatting.with_unit(value, unit)


@register.filter
def compact(value, unit=None):
    """`{{ value|compact:unit }}`: three or four digits, for tiles and tables."""
    return formatting.with_unit(value, unit, compact=True)


@register.filter
def whole(value):
    """`{{ count|whole }}`: a number of things, with thousands marks."""
    return formatting.plain(value)


@register.filter
def as_percent(share):
    """`{{ 0.051|as_percent }}`: a signed share of one, as `+5.1 %`."""
    return formatting.percent(share)


@register.filter
def signed_percent(value):
    """`{{ 5.1|signed_percent }}`: a percentage with its sign, as `+5.1 %`; nothing for none."""
    return "" if value is None else formatting.percent(value / 100)


@register.filter
def dimension_name(path):
    """`{{ "household__age"|dimension_name }}`: household age."""
    return entries.dimension_name(path)


@register.filter
def unit_name(unit):
    return formatting.unit_name(unit)


@register.filter
def span(value):
    """`{{ seconds|span }}`: a length of time, as `2 h 5 min`."""
    return formatting.duration(value)


@register.simple_tag
def delta(old, new, unit=None, direction="neutral", words=""):
    """The change from old to new with an arrow; coloured when its direction is good or bad."""
    # A name that a template does not know is an empty text.
    text = "" if "" in (old, new) else formatting.change(old, new, unit)
    if not text:
        return ""
    if old == new:
        return format_html('<span class="delta">no change</span>')
    is_up = new > old
    tone = {"neutral": "", "up": "good" if is_up else "bad", "down": "bad" if is_up else "good"}
    name = tone[direction or "neutral"]
    return format_html(
        '<span class="delta{}">{}<span class="hidden-words">{} </span>{}{}</span>',
        f" delta-{name}" if name else "",
        icons.icon("up-triangle" if is_up else "down-triangle"),
        "up" if is_up else "down",
        text,
        f" {words}" if words else "",
    )


# --- Times ---


@register.simple_tag
def when(moment, style="long"):
    """An instant in the reader's zone, with the zone; ISO and UTC on hover.

    Styles: `long` (12 Mar 2026, 11:42 CET), `day`, `time`, `ago` (2 days ago).
    """
    if moment is None:
        return formatting.NO_VALUE
    if not isinstance(moment, datetime):
        return on_day(moment)
    local = timezone.localtime(moment)
    utc = moment.astimezone(UTC)
    texts = {
        "long": f"{formatting.day(local)}, {local:%H:%M} {local:%Z}",
        "day": formatting.day(local),
        "time": formatting.clock_time(local),
        "ago": formatting.ago(clock.now() - moment),
    }
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S} {local:%Z} · {utc:%H:%M} UTC",
        texts[style],
    )


@register.simple_tag
def on_day(value: date | None, grain="day"):
    """A day or the period that begins on it, which has no zone of the reader's."""
    if value is None:
        return formatting.NO_VALUE
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), formatting.period(value, grain)
    )


@register.filter
def period(start, grain="day"):
    return formatting.period(start, grain)


# --- States and people ---


@register.simple_tag
def badge(family, value, words=""):
    """The state of a thing, e.g. `{% badge "status" request.status %}`; see `web.badges`."""
    if value in (None, ""):
        return ""
    look = badges.look(family, value)
    return format_html(
        '<span class="badge{}"{}>{}{}</span>',
        f" badge-{look.tone}" if look.tone else "",
        format_html(' title="{}"', look.help) if look.help else "",
        icons.icon(look.icon) if look.icon else "",
        words or look.word,
    )


@register.simple_tag
def explain(family, value):
    """The sentence that says what a state means."""
    return badges.look(family, value).help


@register.simple_tag
def word(family, value):
    return badges.look(family, value).word


@register.simple_tag
def look_icon(family, value):
    return icons.icon(badges.look(family, value).icon)


@register.simple_tag
def icon(name):
    return icons.icon(name)


@register.simple_tag
def logo():
    return mark_safe(icons.MARK)  # noqa: S308 - our own drawing


@register.simple_tag
def avatar(person, size=""):
    """A person's initials on a colour that stays theirs. The name must stand beside it."""
    name = str(person or "?")
    parts = [part for part in name.replace(".", " ").split() if part[0].isalnum()] or ["?"]
    initials = parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")
    tone = sum(map(ord, name)) % 6 + 1
    return format_html(
        '<span class="avatar avatar-{}{}" aria-hidden="true">{}</span>',
        tone,
        f" avatar-{size}" if size else "",
        initials.upper(),
    )


@register.simple_tag
def person(someone, size=""):
    """Avatar and name; nobody is said in words."""
    if not someone:
        return format_html('<span class="muted">Nobody</span>')
    return format_html(
        '<span class="person">{}<span>{}</span></span>', avatar(someone, size), str(someone)
    )


@register.simple_tag
def people(names, limit=3):
    """Several people in one line: `Ana, Ben, Cem and 2 more`."""
    names = [str(name) for name in names]
    shown = format_html_join(", ", "{}", ((name,) for name in names[:limit]))
    more = len(names) - limit
    return format_html("{} and {} more", shown, more) if more > 0 else shown


# --- Charts ---


@register.simple_tag
def make_chart(spec, height=charts.HEIGHT):
    """A `web.charts.Chart` for `components/chart.html`."""
    return charts.Chart(spec, height=int(height))


@register.simple_tag
def line_chart(spec, height=charts.HEIGHT):
    """The drawing alone, e.g. for the admin; load `css/tokens.css` and `css/chart.css` with it."""
    chart = charts.Chart(spec, height=int(height))
    if chart.is_empty:
        return format_html('<p class="muted">No values yet.</p>')
    return mark_safe(chart.svg())  # noqa: S308 - every text in it is escaped where it is drawn


@register.filter
def as_json(value):
    """For an attribute that a script reads; it is escaped there like any text."""
    return json.dumps(value, cls=DjangoJSONEncoder, separators=(",", ":"))


@register.filter
def drawing(chart):
    return mark_safe(chart.svg())  # noqa: S308 - every text in it is escaped where it is drawn


@register.simple_tag
def sparkline(numbers, label, mark=None):
    return mark_safe(charts.sparkline(numbers, label=label, mark=mark))  # noqa: S308 - as above


@register.simple_tag
def swing(share):
    """A bar to the left or right of its middle, for a share from -1 to 1. Its number stands
    beside it."""
    return mark_safe(charts.swing(share))  # noqa: S308 - numbers alone


@register.simple_tag
def lineage_graph(nodes, edges, label):
    return mark_safe(graphs.lineage_svg(nodes, edges, label=label))  # noqa: S308 - as above


# --- Links ---


@register.simple_tag(takes_context=True)
def with_query(context, **changes):
    """The query string of this page with some values replaced; None removes one.

    `{% with_query sort="name" cursor=None %}` begins with `?`.
    """
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        elif isinstance(value, (list, tuple)):
            query.setlist(name, value)
        else:
            query[name] = value
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def toggled(context, name, value):
    """The query string with one value of a facet added, or removed when it is there."""
    query = context["request"].GET.copy()
    values = query.getlist(name)
    value = str(value)
    query.setlist(name, [v for v in values if v != value] if value in values else [*values, value])
    query.pop("cursor", None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def sort_link(context, name, label):
    """The head of a sortable column: a link that sorts by it, and turns when it does already.

    Use `aria-sort="{% sort_state name %}"` on its `th`.
    """
    current = context["request"].GET.get("sort", "")
    target = f"-{name}" if current == name else name
    arrow = {"ascending": icons.icon("up-triangle"), "descending": icons.icon("down-triangle")}
    return format_html(
        '<a href="{}">{}{}</a>',
        with_query(context, sort=target, cursor=None),
        label,
        arrow.get(sort_state(context, name), ""),
    )


@register.simple_tag(takes_context=True)
def sort_state(context, name):
    current = context["request"].GET.get("sort", "")
    return {name: "ascending", f"-{name}": "descending"}.get(current, "none")


@register.filter
def field_kind(bound_field):
    """Which partial draws a field: `checkbox`, `choices` or `input`."""
    kind = getattr(bound_field.field.widget, "input_type", "")
    has_many = bound_field.field.widget.__class__.__name__ in (
        "CheckboxSelectMultiple",
        "RadioSelect",
    )
    return "choices" if has_many else "checkbox" if kind == "checkbox" else "input"


# --- Forms and small things ---


@register.filter
def described(bound_field):
    """The control of a field, tied to its help and to what is wrong with it."""
    ids = [f"{bound_field.auto_id}-help"] if bound_field.help_text else []
    attrs = {}
    if bound_field.errors:
        ids.append(f"{bound_field.auto_id}-error")
        attrs["aria-invalid"] = "true"
    if ids:
        attrs["aria-describedby"] = " ".join(ids)
    return bound_field.as_widget(attrs=attrs)


@register.filter
def error_count(form):
    return sum(len(errors) for errors in form.errors.values())


@register.filter
def tone(level_tag):
    """The tone of a message of `django.contrib.messages`."""
    return {"success": "good", "warning": "warn", "error": "bad"}.get(level_tag, "")


@register.simple_tag
def tone_icon(tone):
    names = {"good": "check", "warn": "warning", "bad": "error"}
    return icons.icon(names.get(tone, "info"))


@register.filter
def words(text):
    return text.split()


@register.filter
def glued(sentence):
    """A sentence whose percentages do not break from their sign at the end of a line."""
    return str(sentence).replace(" %", f"{formatting.GLUE}%")


@register.filter
def coded(text):
    """What stands between backticks in a sentence, as code."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return text
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if number % 2 else part,)
            for number, part in enumerate(parts)
        ),
    )


@register.filter(name="is")
def is_(value, other):
    """`true` or `false`, as ARIA attributes want it."""
    return "true" if value == other else "false"


@register.simple_tag
def stylesheet(name):
    return static(f"css/{name}.css")


@register.simple_tag
def reader_zone():
    return timezone.get_current_timezone_name()
