"""Sources: where rows come from, whose they are, and what reads them."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from measurement.models import Source
from measurement.selectors.sources import readers_by_source, readers_of


@require_safe
def sources(request):
    counts = readers_by_source()
    rows = [(source, counts.get(source.key, 0)) for source in Source.objects.all()]
    return render(request, "catalog/sources.html", {"place": "catalog", "rows": rows})


@require_safe
def source(request, key: str):
    found = get_object_or_404(Source, key=key)
    context = {"place": "catalog", "source": found, "readers": readers_of(found)}
    return render(request, "catalog/source.html", context)
