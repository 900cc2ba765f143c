from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("measurement", "0005_a_look_at_a_table"),
    ]

    operations = [
        migrations.AddField(
            model_name="check",
            name="asked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
