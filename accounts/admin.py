"""People, their roles and the domains: what an Admin looks after. Nobody is deleted, since what
they decided stays; who leaves is switched off."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import policies
from accounts.models import Domain, RoleGrant, User
from accounts.services import grant_role, revoke_role, save_domain, save_person
from core import audit
from core.admin import HistoryAdmin

VIA = "admin"


class NewPersonForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["username", "full_name", "is_staff"]


class GrantInline(TabularInline):
    """Roles are given and taken, never rewritten: each step is a line of the audit log."""

    model = RoleGrant
    extra = 1
    tab = False
    verbose_name = "role"
    fields = ["role", "domain"]

    def has_add_permission(self, request, obj=None):
        return policies.why_not_administer(request.user, obj) is None

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return policies.why_not_administer(request.user, obj) is None


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    actions = None
    inlines = [GrantInline]
    list_display = ["username", "full_name", "roles", "is_staff", "is_active", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username", "full_name", "email"]
    filter_horizontal = []
    readonly_fields = ["is_superuser", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": [("username", "password")]}),
        ("Who it is", {"fields": [("full_name", "email"), "time_zone"]}),
        (
            "Access",
            {
                "fields": [
                    "is_active",
                    "is_staff",
                    "is_superuser",
                    ("last_login", "date_joined"),
                ],
                "description": "Staff may open this admin. What they may do in it follows from "
                "their roles below.",
            },
        ),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "full_name", "is_staff", "password1", "password2"]})
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("grants__domain")

    @admin.display(description="Roles")
    def roles(self, person):
        return ", ".join(str(grant) for grant in person.grants.all()) or "none"

    def has_delete_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return policies.why_not_administer(request.user, obj) is None

    def save_model(self, request, obj, form, change):
        save_person(obj, changed=form.changed_data, actor=request.user, via=VIA)

    def save_formset(self, request, form, formset, change):
        formset.save(commit=False)
        for grant in formset.deleted_objects:
            revoke_role(grant, actor=request.user, via=VIA)
        for grant in formset.new_objects:
            grant_role(
                grant.user, role=grant.role, domain=grant.domain, actor=request.user, via=VIA
            )

    @transaction.atomic
    def user_change_password(self, request, id, form_url=""):
        """The new password and the record of who set it are written together."""
        return super().user_change_password(request, id, form_url)

    def construct_change_message(self, request, form, formsets, add=False):
        if isinstance(form, AdminPasswordChangeForm):
            audit.record("person.password_set", form.user, actor=request.user, via=VIA)
        return super().construct_change_message(request, form, formsets, add)


class DomainForm(forms.ModelForm):
    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        ancestor = cleaned.get("parent")
        while ancestor is not None:
            if ancestor.pk == self.instance.pk:
                self.add_error("parent", "A domain cannot be a part of itself.")
                break
            ancestor = ancestor.parent
        return cleaned


@admin.register(Domain)
class DomainAdmin(HistoryAdmin, ModelAdmin):
    form = DomainForm
    actions = None
    list_display = ["name", "key", "parent"]
    list_select_related = ["parent"]
    search_fields = ["key", "name"]
    fields = ["name", "key", "parent"]

    def get_readonly_fields(self, request, obj=None):
        """Definitions and requests name a domain by its key."""
        return ["key"] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        save_domain(obj, actor=request.user, via=VIA)
