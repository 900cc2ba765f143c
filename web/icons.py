"""Icons and the mark of Etalon, drawn on a grid of 20. They are decoration: a word stands beside
each, or the control that holds it has a name."""

from django.utils.html import format_html
from django.utils.safestring import mark_safe

PATHS = {
    # Places
    "home": '<path d="M3.5 9 10 3.5 16.5 9v7a.9.9 0 0 1-.9.9H12v-5H8v5H4.4a.9.9 0 0 1-.9-.9z"/>',
    "catalog": '<path d="M4 4.5h5v11H4zM11 4.5h5v4.8h-5zM11 11.7h5v3.8h-5z"/>',
    "tree": '<path d="M10 6.2V10M4.8 13.4V10h10.4v3.4"/><rect x="7.6" y="2.8" width="4.8" '
    'height="3.4" rx="1"/><rect x="2.6" y="13.4" width="4.4" height="3.4" rx="1"/>'
    '<rect x="13" y="13.4" width="4.4" height="3.4" rx="1"/>',
    "changes": '<circle cx="5.5" cy="5" r="1.9"/><circle cx="5.5" cy="15" r="1.9"/>'
    '<circle cx="14.5" cy="7.6" r="1.9"/><path d="M5.5 6.9v6.2M14.5 9.5c0 2.6-2 3.4-4.4 3.4H5.5"/>',
    "backfills": '<path d="M3.4 10a6.6 6.6 0 1 0 2.1-4.8L3.4 7.2M3.4 3.6v3.6H7"/>'
    '<path d="M10 6.6V10l2.3 1.6"/>',
    "more": '<circle cx="4.5" cy="10" r="1.2"/><circle cx="10" cy="10" r="1.2"/>'
    '<circle cx="15.5" cy="10" r="1.2"/>',
    "admin": '<path d="M10 2.8 16 5v4.6c0 3.6-2.5 6.4-6 7.6-3.5-1.2-6-4-6-7.6V5z"/>'
    '<path d="m7.4 9.9 1.9 1.9 3.4-3.6"/>',
    "book": '<path d="M10 5.2C8.6 4 6.6 3.6 3.6 3.7v11.4c3 0 5 .4 6.4 1.6 1.4-1.2 3.4-1.6 6.4-1.6'
    'V3.7C13.4 3.6 11.4 4 10 5.2zM10 5.2v11.5"/>',
    # Tools
    "search": '<circle cx="8.8" cy="8.8" r="5.2"/><path d="m12.8 12.8 3.9 3.9"/>',
    "bell": '<path d="M5 13.6V9a5 5 0 0 1 10 0v4.6l1.3 1.5H3.7zM8.2 17.2a1.9 1.9 0 0 0 3.6 0"/>',
    "theme": '<circle cx="10" cy="10" r="6.7"/><path d="M10 3.3a6.7 6.7 0 0 1 0 13.4z" '
    'fill="currentColor" stroke="none"/>',
    "sun": '<circle cx="10" cy="10" r="3.3"/><path d="M10 2.4v1.8M10 15.8v1.8M2.4 10h1.8M15.8 10'
    'h1.8M4.6 4.6l1.3 1.3M14.1 14.1l1.3 1.3M4.6 15.4l1.3-1.3M14.1 5.9l1.3-1.3"/>',
    "moon": '<path d="M16.2 12A6.7 6.7 0 0 1 8 3.8a6.7 6.7 0 1 0 8.2 8.2z"/>',
    "screen": '<rect x="2.8" y="4" width="14.4" height="9.4" rx="1.4"/><path d="M7.4 16.6h5.2"/>',
    "keyboard": '<rect x="2.4" y="5" width="15.2" height="10" rx="1.6"/><path d="M5.4 8h.1M8.4 8'
    "h.1M11.5 8h.1M14.6 8h.1M5.4 10.4h.1M14.6 10.4h.1M8.4 10.4h.1M11.5 10.4h.1M7.2 12.6"
    'h5.6"/>',
    "person": '<circle cx="10" cy="6.7" r="3.2"/><path d="M3.8 16.8a6.2 6.2 0 0 1 12.4 0"/>',
    "key": '<circle cx="7" cy="12.9" r="3.5"/><path d="m9.5 10.4 6.7-6.7M13 6.9l2.2 2.2"/>',
    "lock": '<rect x="4.4" y="9" width="11.2" height="7.6" rx="1.6"/><path d="M6.9 9V6.5a3.1 3.1 0 '
    '0 1 6.2 0V9"/>',
    "out": '<path d="M8.2 3.8H4.6a.9.9 0 0 0-.9.9v10.6c0 .5.4.9.9.9h3.6M12.8 6.4 16.4 10l-3.6 3.6'
    'M16 10H8"/>',
    "copy": '<rect x="7" y="7" width="9.2" height="9.2" rx="1.6"/><path d="M4.9 12.9H4.6a.9.9 0 0 '
    '1-.9-.9V4.7c0-.5.4-.9.9-.9H12c.5 0 .9.4.9.9V5"/>',
    "link": '<path d="M8.3 11.7a3.2 3.2 0 0 0 4.6 0l2.8-2.8a3.2 3.2 0 0 0-4.6-4.6l-.9.9M11.7 8.3a'
    '3.2 3.2 0 0 0-4.6 0l-2.8 2.8a3.2 3.2 0 0 0 4.6 4.6l.9-.9"/>',
    "download": '<path d="M10 3.4v9M6.4 9 10 12.6 13.6 9M3.8 16.4h12.4"/>',
    "edit": '<path d="M4 16h2.7l8.8-8.8a1.9 1.9 0 0 0-2.7-2.7L4 13.3zM11.4 5.9l2.7 2.7"/>',
    "plus": '<path d="M10 4.2v11.6M4.2 10h11.6"/>',
    "close": '<path d="m5 5 10 10M15 5 5 15"/>',
    "check": '<path d="m4.2 10.6 3.9 3.9 7.7-8.4"/>',
    "down": '<path d="m5.4 7.8 4.6 4.6 4.6-4.6"/>',
    "left": '<path d="M12.2 5.4 7.6 10l4.6 4.6"/>',
    "right": '<path d="m7.8 5.4 4.6 4.6-4.6 4.6"/>',
    "arrow": '<path d="M3.8 10h12M11.2 5.4 15.8 10l-4.6 4.6"/>',
    "filter": '<path d="M3.4 4.6h13.2l-5.2 6v5l-2.8-1.6v-3.4z"/>',
    "eye": '<path d="M2.2 10S5 4.8 10 4.8 17.8 10 17.8 10 15 15.2 10 15.2 2.2 10 2.2 10z"/>'
    '<circle cx="10" cy="10" r="2.3"/>',
    "clock": '<circle cx="10" cy="10" r="6.7"/><path d="M10 6.2V10l2.6 1.7"/>',
    "calendar": '<rect x="3.4" y="4.4" width="13.2" height="12.2" rx="1.6"/><path d="M3.4 8.2h13.2'
    'M6.8 2.8v3M13.2 2.8v3"/>',
    "pause": '<path d="M7 4.6v10.8M13 4.6v10.8"/>',
    "play": '<path d="M6.4 4.2v11.6l9-5.8z"/>',
    "retry": '<path d="M16.6 10a6.6 6.6 0 1 1-2.1-4.8l2.1 2M16.6 3.6v3.6H13"/>',
    "undo": '<path d="M4 8.2h7.4a4.2 4.2 0 0 1 0 8.4H7.6M7.2 4.8 3.8 8.2l3.4 3.4"/>',
    "trash": '<path d="M4 5.8h12M8 5.6V3.8h4v1.8M5.4 5.8l.8 10.6h7.6l.8-10.6"/>',
    "comment": '<path d="M3.6 4.6h12.8v8.8H9.2l-3.6 3v-3h-2z"/>',
    "people": '<circle cx="7.4" cy="7" r="2.7"/><path d="M2.4 16a5 5 0 0 1 10 0M12.6 4.5a2.7 2.7 0 '
    '0 1 0 5M14.4 11.6A5 5 0 0 1 17.6 16"/>',
    "chart": '<path d="M3.4 3.6v12.8h13.2M6.2 12.6l3.2-4 2.8 2.2 4-5.6"/>',
    "table": '<rect x="3" y="4.2" width="14" height="11.6" rx="1.4"/><path d="M3 8h14M3 11.9h14M8 '
    '8v7.8"/>',
    "lineage": '<rect x="2.6" y="3.4" width="5" height="4" rx="1"/><rect x="2.6" y="12.6" '
    'width="5" height="4" rx="1"/><rect x="12.4" y="8" width="5" height="4" rx="1"/>'
    '<path d="M7.6 5.4c3 0 2.4 4.6 4.8 4.6M7.6 14.6c3 0 2.4-4.6 4.8-4.6"/>',
    "formula": '<path d="M14.6 4.2H6l5 5.8-5 5.8h8.6"/>',
    "database": '<ellipse cx="10" cy="5.4" rx="6" ry="2.4"/><path d="M4 5.4v9.2c0 1.3 2.7 2.4 6 2.4'
    's6-1.1 6-2.4V5.4M4 10c0 1.3 2.7 2.4 6 2.4s6-1.1 6-2.4"/>',
    "shield": '<path d="M10 2.8 16 5v4.6c0 3.6-2.5 6.4-6 7.6-3.5-1.2-6-4-6-7.6V5z"/>',
    "info": '<circle cx="10" cy="10" r="6.9"/><path d="M10 9.2v4.2M10 6.5v.1"/>',
    "help": '<circle cx="10" cy="10" r="6.9"/><path d="M7.9 8.1a2.1 2.1 0 1 1 3.2 1.8c-.7.5-1.1.8-'
    '1.1 1.6M10 13.6v.1"/>',
    "warning": '<path d="M10 3.6 17.2 16H2.8zM10 8.2v3.6M10 13.8v.1"/>',
    "error": '<path d="M7 3.2h6L16.8 7v6L13 16.8H7L3.2 13V7zM10 6.4v4.2M10 13.2v.1"/>',
    "offline": '<path d="M3 3l14 14M4.6 8.4a8 8 0 0 1 2.6-1.7M15.4 8.4a8 8 0 0 0-5.2-2.3M7.2 11.2a'
    '4.2 4.2 0 0 1 2-.9M10 14.6v.1"/>',
    "flag": '<path d="M5 17V3.6c3.6-1.8 6.4 1.8 10 0v7.6c-3.6 1.8-6.4-1.8-10 0"/>',
    "star": '<path d="m10 3 2.1 4.4 4.8.6-3.5 3.3.9 4.8L10 13.8l-4.3 2.3.9-4.8L3.1 8l4.8-.6z"/>',
    "bolt": '<path d="M11.2 2.8 4.6 11.4h4.8l-.6 5.8 6.6-8.6h-4.8z"/>',
    "dot-ring": '<circle cx="10" cy="10" r="6.2"/><circle cx="10" cy="10" r="2" '
    'fill="currentColor"/>',
    # Shapes of states: filled, told apart without their colour.
    "shape-circle": '<circle cx="10" cy="10" r="6.4" fill="currentColor" stroke="none"/>',
    "shape-triangle": '<path d="M10 3.2 17.4 16.4H2.6z" fill="currentColor" stroke="none"/>',
    "shape-square": '<rect x="3.8" y="3.8" width="12.4" height="12.4" rx="1.4" '
    'fill="currentColor" stroke="none"/>',
    "shape-diamond": '<path d="M10 2.2 17.8 10 10 17.8 2.2 10z" fill="currentColor" '
    'stroke="none"/>',
    "shape-dash": '<path d="M4 10h12" stroke-width="3"/>',
    "shape-ring": '<circle cx="10" cy="10" r="5.6" stroke-width="2.6"/>',
    "shape-half": '<circle cx="10" cy="10" r="5.6" stroke-width="2.2"/><path d="M10 4.4a5.6 5.6 0 '
    '0 1 0 11.2z" fill="currentColor" stroke="none"/>',
    "shape-check": '<path d="m3.6 10.6 4.3 4.3 8.5-9.4" stroke-width="2.6"/>',
    "shape-cross": '<path d="m4.6 4.6 10.8 10.8M15.4 4.6 4.6 15.4" stroke-width="2.6"/>',
    "up-triangle": '<path d="M10 4.4 17 15.6H3z"/>',
    "down-triangle": '<path d="M10 15.6 3 4.4h14z"/>',
}

# A measure with its graduation, between the two end lines of a line standard.
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">'
    '<rect x="1" y="1" width="30" height="30" rx="8.5" class="mark-ground" fill="#3450d4"/>'
    '<path d="M8 8.5v15M12 18.5v5M16 14v9.5M20 18.5v5M24 8.5v15" fill="none" stroke="#ffffff" '
    'stroke-width="2.2" stroke-linecap="round"/></svg>'
)


def icon(name: str):
    """The icon as SVG; an unknown name is a mistake of ours."""
    return format_html(
        '<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(PATHS[name]),  # noqa: S308 - our own drawings, no text of people
    )
