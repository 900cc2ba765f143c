from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_audit_is_insert_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="idempotentanswer",
            name="location",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
