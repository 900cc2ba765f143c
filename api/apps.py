from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"

    def ready(self):
        # Registers itself with the schema generator.
        import api.openapi  # noqa: F401
