from django.apps import AppConfig


class ExamplesConfig(AppConfig):
    """No models: the example company is loaded into those of the product, by its services."""

    name = "examples"
