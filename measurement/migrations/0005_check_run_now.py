from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("measurement", "0004_runs_found_by_resolution"),
    ]

    operations = [
        migrations.AddField(
            model_name="check",
            name="asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
