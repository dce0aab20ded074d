"""What is said to Discord: sentences, pages with their buttons, files, forms. Nobody is ever mentioned."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import aiohttp
import discord

from userstats.contract.questions import Parameter

from . import codec
from .incoming import Told
from .plain import sentence, shortened
from .query import Query
from .questions import Questions

NOBODY: Final = discord.AllowedMentions.none()
_LABELS: Final = {"f": "First", "p": "Back", "n": "Next", "l": "Last", "r": "Refresh"}
_BACK, _ON = "fp", "nl"
_MOST_FIELDS: Final = 5
_LABEL: Final = 45
"""Characters of a form's title and of a field's label."""
_BUTTON: Final = 80
_LONG: Final = 1000
_ACKNOWLEDGED: Final = 40060


async def defer(told: Told, *, private: bool) -> None:
    """Say that an answer is coming; it must be said within three seconds."""
    await _promised(lambda: told.response.defer(ephemeral=private, thinking=True))


async def defer_page(told: Told) -> None:
    """Say that the page is being turned."""
    await _promised(told.response.defer)


async def tell(told: Told, text: str, view: discord.ui.View | None = None) -> None:
    """A sentence that only they see; or, where an answer was promised already, as that answer, with buttons."""
    content = sentence(text)
    if not told.response.is_done():
        await _sent(lambda: told.response.send_message(content, ephemeral=True, allowed_mentions=NOBODY))
    elif told.type is discord.InteractionType.component:
        await _sent(lambda: told.followup.send(content, ephemeral=True, allowed_mentions=NOBODY))
    else:
        await _sent(lambda: told.edit_original_response(content=content, view=view, allowed_mentions=NOBODY))


async def show(told: Told, embed: dict[str, Any], view: discord.ui.View | None) -> None:
    """A page as the answer, or in place of the page whose button was pressed."""
    shown = discord.Embed.from_dict(embed)
    await _sent(lambda: told.edit_original_response(content=None, embed=shown, view=view, allowed_mentions=NOBODY))


async def send_file(told: Told, text: str, name: str, content: bytes) -> None:
    """A file as the answer."""
    await _sent(
        lambda: told.edit_original_response(
            content=text, attachments=[discord.File(io.BytesIO(content), name)], allowed_mentions=NOBODY
        )
    )


async def suggest(told: Told, offered: Iterable[tuple[str, str]]) -> None:
    """What can be chosen: how it is called, and what is then typed."""
    choices = [
        discord.app_commands.Choice(name=shortened(name, 100), value=value)
        for name, value in offered if name.strip() and 0 < len(value) <= 100
    ]  # fmt: skip
    await _sent(lambda: told.response.autocomplete(choices[:25]))


def paging(query: Query, pages: int, questions: Questions) -> discord.ui.View | None:
    """First, Back, Next, Last, Refresh; of one page only the last. None: the query does not fit into their ids."""
    ids = codec.several(query, questions)
    if ids is None:
        return None
    whole = all(letter in _LABELS for letter in (one[0] for one in ids.values()))
    buttons = [
        _button(label, ids[letter], disabled=_useless(letter, query.page, pages))
        for letter, label in _LABELS.items() if pages > 1 or letter == "r" or not whole
    ]  # fmt: skip
    return _view(buttons)


def meant(queries: Sequence[tuple[str, Query]], questions: Questions) -> discord.ui.View | None:
    """A button for each of these; None: there are none, or none fits."""
    found = {codec.single(codec.GO, query, questions): label for label, query in queries}
    buttons = [_button(shortened(label, _BUTTON), one) for one, label in found.items() if one and label.strip()]
    return _view(buttons[:5]) if buttons else None


async def ask_for(told: Told, query: Query, wanted: Sequence[Parameter], questions: Questions) -> bool:
    """Show a form that asks for what is missing. False: there is too much of it, or of what was said."""
    custom_id = codec.single(codec.FORM, query, questions)
    if custom_id is None or len(wanted) > _MOST_FIELDS:
        return False
    form = discord.ui.Modal(title=shortened(query.question, _LABEL), custom_id=custom_id)
    for one in wanted:
        form.add_item(_field(one))
    form.stop()  # it is answered by its id, whoever is there then
    await _sent(lambda: told.response.send_modal(form))
    return True


async def _promised(promise: Callable[[], Awaitable[object]]) -> None:
    try:
        await _sent(promise)
    except discord.HTTPException as error:
        if error.code != _ACKNOWLEDGED:
            raise  # else the first attempt had arrived


async def _sent(send: Callable[[], Awaitable[object]]) -> None:
    """Once more where Discord had hung up: the connection was kept from the last answer, perhaps of hours ago."""
    try:
        await send()
    except (aiohttp.ServerDisconnectedError, ConnectionResetError):
        await send()


def _field(one: Parameter) -> discord.ui.TextInput[Any]:
    hint = ", ".join(one.choices) if one.choices else {"json": "as JSON", "array": "a, b, c"}.get(one.kind, "")
    most = min(one.most or _LONG, _LONG) if one.kind == "string" and not one.choices else _LONG
    return discord.ui.TextInput(
        label=shortened(one.name, _LABEL), custom_id=one.name, placeholder=shortened(hint, 100) or None,
        required=True, min_length=1, max_length=most,
    )  # fmt: skip


def _useless(letter: str, page: int, pages: int) -> bool:
    return (letter in _BACK and page <= 0) or (letter in _ON and page >= pages - 1)


def _button(label: str, custom_id: str, *, disabled: bool = False) -> discord.ui.Button[Any]:
    style = discord.ButtonStyle.secondary
    return discord.ui.Button(label=label, custom_id=custom_id, style=style, disabled=disabled)


def _view(buttons: Iterable[discord.ui.Button[Any]]) -> discord.ui.View:
    """A row of buttons that discord.py forgets at once: they are answered by their ids, also after a restart."""
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(button)
    view.stop()
    return view
