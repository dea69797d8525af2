"""What a record is mapped with: the settings, the QuickBooks company and FreshBooks' own lists.

One context serves all records of a run. Many documents ask for the same customer, product or tax code, so such answers
are remembered here.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from fb_qbo_pipeline.freshbooks.records import Category, Client, Item, Unreadable, VisState
from fb_qbo_pipeline.quickbooks import company as qbo
from fb_qbo_pipeline.quickbooks.company import Company, fold
from fb_qbo_pipeline.settings.models import Integration

_T = TypeVar("_T")


@dataclass(frozen=True)
class Context:
    """Everything that the mapping looks up. `clients` and `categories` are FreshBooks' by id, `items` FreshBooks' products.

    `unreadable`: clients, products and categories that cannot be read. What refers to one of them is held, because it would
    otherwise be posted as if FreshBooks did not have it.
    """

    integration: Integration
    company: Company
    clients: Mapping[int, Client]
    items: Sequence[Item]
    categories: Mapping[int, Category]
    unreadable: Sequence[Unreadable] = ()

    def once(self, question: Hashable, answer: Callable[[], _T]) -> _T:
        """`answer()`, asked for once a run: `question` names the rule and everything but this context that the answer depends on.

        Answers are shared by documents, so they are immutable, or treated as such.
        """
        if question not in self._answers:
            self._answers[question] = answer()
        known: _T = self._answers[question]
        return known

    def item_by_sku(self, sku: str) -> qbo.Item | None:
        """The QuickBooks product with this SKU, an active one before an inactive one."""
        return self._items_by_sku.get(fold(sku))

    def freshbooks_items(self, name: str) -> tuple[Item, ...]:
        """FreshBooks' products of just this name, or where there is none, those whose names differ from it in case only.

        A line carries its product's exact spelling. Of equal names the active ones count, or the others where none is active.
        """
        return self._freshbooks_items.get(" ".join(name.split())) or self.similar_items(name)

    def similar_items(self, name: str) -> tuple[Item, ...]:
        """FreshBooks' products whose names are `name` but for case: the active ones, or the others where none is active."""
        return self._similar_items.get(fold(name), ())

    def unreadable_record(self, resource: str, record_id: int | None) -> Unreadable | None:
        """The client or category of this id, where it cannot be read."""
        return self._unreadable.get((resource, record_id))

    def unreadable_item(self, name: str) -> Unreadable | None:
        """A FreshBooks product of this name that cannot be read."""
        return next((one for one in self.unreadable if one.resource == "item" and one.number and fold(one.number) == fold(name)), None)

    def shares_category_name(self, name: str) -> bool:
        """Whether several FreshBooks expense categories, under different parents, are called `name`."""
        return self._category_names.count(fold(name)) > 1

    @cached_property
    def _unreadable(self) -> dict[tuple[str, int | None], Unreadable]:
        return {(one.resource, one.id): one for one in self.unreadable}

    @cached_property
    def _answers(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def _items_by_sku(self) -> dict[str, qbo.Item]:
        products = [item for item in self.company.items if item.sku.strip() and item.type != "Category"]
        return {fold(item.sku): item for item in sorted(products, key=lambda item: item.active)}

    @cached_property
    def _freshbooks_items(self) -> dict[str, tuple[Item, ...]]:
        return _named(self.items, lambda name: " ".join(name.split()))

    @cached_property
    def _similar_items(self) -> dict[str, tuple[Item, ...]]:
        return _named(self.items, fold)

    @cached_property
    def _category_names(self) -> list[str]:
        return [fold(category.name) for category in self.categories.values()]


def _named(items: Iterable[Item], spelled: Callable[[str], str]) -> dict[str, tuple[Item, ...]]:
    """The products by name: the active ones of each, or the others where none is active."""
    named: dict[str, list[Item]] = {}
    for item in items:
        named.setdefault(spelled(item.name), []).append(item)
    active = {name: tuple(item for item in members if item.vis_state is VisState.ACTIVE) for name, members in named.items()}
    return {name: active[name] or tuple(members) for name, members in named.items()}
