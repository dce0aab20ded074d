"""Commands, buttons, menus and forms of the real discord.py, used by the stand-in's people."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import discord
import pytest
from discord import app_commands

from .discord import Actor, Channel, Guild, Impossible, Permission, Settings, StandIn, Unanswered
from .discord.judge import Judge
from .discord_client import Listener, listening, standing

Told = discord.Interaction[discord.Client]
CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"


class Form(discord.ui.Modal, title="Who are you?"):
    """One line."""

    name: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Name", custom_id="name", min_length=2, max_length=10)

    async def on_submit(self, interaction: Told, /) -> None:
        """Greets."""
        await interaction.response.send_message(f"hello {self.name.value}")


class Pages(discord.ui.View):
    """Everything that can be pressed."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.page = 0

    @discord.ui.button(label="Next", custom_id="next")
    async def turn(self, interaction: Told, _: discord.ui.Button[Any]) -> None:
        """Another page."""
        self.page += 1
        await interaction.response.edit_message(content=f"page {self.page}", view=self)

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: Told, _: discord.ui.Button[Any]) -> None:
        """Another page after a while."""
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")

    @discord.ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: Told, _: discord.ui.Button[Any]) -> None:
        """A form."""
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="No", custom_id="no", disabled=True)
    async def no(self, interaction: Told, _: discord.ui.Button[Any]) -> None:
        """Never pressed."""

    @discord.ui.select(custom_id="pick", options=[discord.SelectOption(label=one, value=one) for one in ("a", "b")])
    async def pick(self, interaction: Told, menu: discord.ui.Select[Any]) -> None:
        """What was picked, for that user's eyes only."""
        await interaction.response.send_message(f"picked {menu.values}", ephemeral=True)

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="whom")
    async def whom(self, interaction: Told, menu: discord.ui.UserSelect[Any]) -> None:
        """Who was picked."""
        await interaction.response.send_message(f"picked {menu.values[0].name}")


@app_commands.command(description="Figures")
async def stats(
    interaction: Told,
    question: str,
    limit: app_commands.Range[int, 1, 10] = 5,
    who: discord.Member | None = None,
    where: discord.TextChannel | None = None,
) -> None:
    """Deferred, then filled by a follow-up with a picture, then edited, then more."""
    await interaction.response.defer(thinking=True)
    picture = discord.File(io.BytesIO(b"\x89PNG"), "chart.png")
    told = f"{question} {limit} {who and who.name} {where and where.name}"
    await interaction.followup.send(told, embed=discord.Embed(title="t"), file=picture, view=Pages())
    await interaction.edit_original_response(content=f"{told}!")
    await interaction.followup.send("and for you", ephemeral=True)


@stats.autocomplete("question")
async def questions(_: Told, typed: str) -> list[app_commands.Choice[str]]:
    """What starts so."""
    return [app_commands.Choice(name=one, value=one) for one in ("kudos", "karma", "words") if one.startswith(typed)]


class Stage(NamedTuple):
    """A guild with two people, and a client whose commands are registered."""

    site: StandIn
    client: Listener
    cinema: Guild
    general: Channel
    amy: Actor
    bob: Actor


@asynccontextmanager
async def stage(*commands: app_commands.Command[Any, ..., None] | app_commands.Group) -> AsyncIterator[Stage]:
    """The application offers these commands."""
    async with standing() as site:
        cinema = site.guild("cinema")
        general = site.channel(cinema, "general")
        amy, bob = site.user("amy"), site.user("bob")
        site.enrol(cinema, amy, bob)
        async with listening(site, intents=discord.Intents.default()) as client:
            for command in commands:
                client.tree.add_command(command)
            await client.tree.sync()
            yield Stage(site, client, cinema, general, amy, bob)


async def test_a_command_is_deferred_filled_edited_and_followed_up() -> None:
    async with stage(stats) as s:
        reply = await s.amy.slash(s.general, "stats", question="kudos", limit=3, who=s.bob, where=s.general)
        first = await reply.edited()
        more = await reply.message(1)
        assert (first.content, [one["filename"] for one in first.attachments]) == (
            "kudos 3 bob general!",
            ["chart.png"],
        )
        assert (more.content, more.only_for) == ("and for you", s.amy.user)
        assert not reply.ephemeral
        told = [(one["content"], one["flags"]) for one in s.client.all("MESSAGE_CREATE")]
        assert told == [("", 128)]
        assert [one["content"] for one in s.client.all("MESSAGE_UPDATE")] == [
            "kudos 3 bob general",
            "kudos 3 bob general!",
        ]
        assert list(s.general.messages) == [first.id]
        with pytest.raises(Impossible):
            await s.bob.press(more, "next")


async def test_autocomplete_offers_what_fits() -> None:
    async with stage(stats) as s:
        assert await s.amy.autocomplete(s.general, "stats", "question", "k") == [
            {"name": "kudos", "value": "kudos"},
            {"name": "karma", "value": "karma"},
        ]


async def test_buttons_edit_their_message_now_or_later() -> None:
    async with stage(stats) as s:
        message = await (await s.amy.slash(s.general, "stats", question="kudos")).edited()
        assert (await (await s.bob.press(message, "Next")).changed()).content == "page 1"
        assert (await (await s.bob.press(message, "next")).changed()).content == "page 2"
        assert (await (await s.bob.press(message, "later")).changed()).content == "later"


async def test_a_button_leads_to_a_form_and_the_form_to_an_answer() -> None:
    async with stage(stats) as s:
        message = await (await s.amy.slash(s.general, "stats", question="kudos")).edited()
        pressed = await s.bob.press(message, "ask")
        assert (await pressed.modal())["title"] == "Who are you?"
        for wrong in ({"name": "B"}, {"name": ""}, {"name": "x" * 11}, {"other": "x"}):
            with pytest.raises(Impossible):
                await s.bob.submit(pressed, wrong)
        with pytest.raises(Impossible):
            await s.amy.submit(pressed, {"name": "Amy"})
        done = await s.bob.submit(pressed, {"name": "Bob"})
        assert (await done.message()).content == "hello Bob"


async def test_menus_offer_texts_and_people() -> None:
    async with stage(stats) as s:
        message = await (await s.amy.slash(s.general, "stats", question="kudos")).edited()
        picked = await s.amy.choose(message, "pick", "b")
        assert ((await picked.message()).content, picked.ephemeral) == ("picked ['b']", True)
        assert (await (await s.amy.choose(message, "whom", s.bob)).message()).content == "picked bob"


async def test_people_can_only_use_what_is_offered() -> None:
    async with stage(stats) as s:
        message = await (await s.amy.slash(s.general, "stats", question="kudos")).edited()
        for attempt in (
            s.amy.slash(s.general, "nothing"),
            s.amy.slash(s.general, "stats"),
            s.amy.slash(s.general, "stats", question="kudos", limit=11),
            s.amy.slash(s.general, "stats", question="kudos", other=1),
            s.amy.slash(s.general, "stats", question="kudos", where=s.amy),
            s.amy.slash(s.general, "stats top", question="kudos"),
            s.amy.autocomplete(s.general, "stats", "limit", "1"),
            s.amy.press(message, "no"),
            s.amy.press(message, "nothing"),
            s.amy.choose(message, "pick", "c"),
            s.amy.choose(message, "pick"),
            s.site.user("stranger").slash(s.general, "stats", question="kudos"),
        ):
            with pytest.raises(Impossible):
                await attempt


async def test_subcommands_choices_and_permissions() -> None:
    group = app_commands.Group(
        name="admin", description="-", default_permissions=discord.Permissions(manage_guild=True)
    )

    @group.command(description="-")
    @app_commands.choices(level=[app_commands.Choice(name="high", value=1)])
    async def watch(interaction: Told, level: int) -> None:
        await interaction.response.send_message(f"level {level}")

    async with stage(group) as s:
        with pytest.raises(Impossible):
            await s.amy.slash(s.general, "admin watch", level=1)
        mods = s.site.role(s.cinema, "mods", permissions=int(Permission.MANAGE_GUILD))
        await s.site.owner.give_role(s.cinema, s.amy, mods)
        assert (await (await s.amy.slash(s.general, "admin watch", level=1)).message()).content == "level 1"
        for wrong in ("admin", "admin nothing"):
            with pytest.raises(Impossible):
                await s.amy.slash(s.general, wrong, level=1)
        with pytest.raises(Impossible):
            await s.amy.slash(s.general, "admin watch", level=2)


async def test_an_answer_after_three_seconds_is_too_late() -> None:
    codes: list[int] = []

    @app_commands.command(description="-")
    async def slow(interaction: Told) -> None:
        await asyncio.sleep(0.3)
        with pytest.raises(discord.NotFound) as late:
            await interaction.response.send_message("late")
        codes.append(late.value.code)

    async with standing(Settings(ack_window=0.2)) as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            client.tree.add_command(slow)
            await client.tree.sync()
            reply = await site.owner.slash(general, "slow")
            with pytest.raises(Unanswered):
                await reply.message()
            await asyncio.sleep(0.3)
    assert codes == [10062]


async def test_an_interaction_is_acknowledged_once_and_followed_up_after_that() -> None:
    codes: list[int] = []
    over = asyncio.Event()

    @app_commands.command(description="-")
    async def clumsy(interaction: Told) -> None:
        for attempt in (
            interaction.followup.send("too early"),
            interaction.response.send_message("first"),
            interaction.client.http.request(_again(interaction), json={"type": 4, "data": {"content": "second"}}),
        ):
            try:
                await attempt
            except discord.HTTPException as error:
                codes.append(error.code)
        over.set()

    async with stage(clumsy) as s:
        reply = await s.amy.slash(s.general, "clumsy")
        assert (await reply.message()).content == "first"
        await asyncio.wait_for(over.wait(), 5)
    assert codes == [10015, 40060]


def _again(interaction: Told) -> discord.http.Route:
    return discord.http.Route(
        "POST",
        "/interactions/{interaction_id}/{interaction_token}/callback",
        interaction_id=interaction.id,
        interaction_token=interaction.token,
    )


async def test_a_token_ends_after_fifteen_minutes() -> None:
    refused: list[tuple[int, int]] = []

    @app_commands.command(description="-")
    async def patient(interaction: Told) -> None:
        await interaction.response.defer(ephemeral=True)
        await asyncio.sleep(0.3)
        try:
            await interaction.followup.send("late")
        except discord.HTTPException as error:
            refused.append((error.status, error.code))

    async with standing(Settings(token_lifetime=0.2)) as site:
        general = site.channel(site.guild("cinema"), "general")
        async with listening(site) as client:
            client.tree.add_command(patient)
            await client.tree.sync()
            reply = await site.owner.slash(general, "patient")
            assert (await reply.acknowledged(), reply.deferred, reply.ephemeral) == (5, True, True)
            await asyncio.sleep(0.4)
    assert refused == [(401, 50027)]


async def test_the_first_reply_can_be_fetched_and_deleted() -> None:
    @app_commands.command(description="-")
    async def brief(interaction: Told) -> None:
        await interaction.response.send_message("gone soon", ephemeral=True)
        assert (await interaction.original_response()).content == "gone soon"
        await interaction.delete_original_response()

    async with stage(brief) as s:
        reply = await s.amy.slash(s.general, "brief")
        await reply.until(lambda one: (one.interaction.callback == 4 and not one.messages) or None)
        assert s.general.messages == {}


async def test_guild_commands_are_only_in_their_guild_and_keep_their_ids() -> None:
    async with standing() as site:
        cinema, theatre = site.guild("cinema"), site.guild("theatre")
        here, there = site.channel(cinema, "general"), site.channel(theatre, "general")

        @app_commands.command(description="-")
        async def local(interaction: Told) -> None:
            await interaction.response.send_message("here")

        async with listening(site) as client:
            client.tree.add_command(local, guild=discord.Object(cinema.id))
            first = await client.tree.sync(guild=discord.Object(cinema.id))
            again = await client.tree.sync(guild=discord.Object(cinema.id))
            assert [one.id for one in first] == [one.id for one in again]
            assert [one.name for one in await client.tree.fetch_commands(guild=discord.Object(cinema.id))] == ["local"]
            assert (await (await site.owner.slash(here, "local")).message()).content == "here"
            with pytest.raises(Impossible):
                await site.owner.slash(there, "local")


async def test_a_command_works_in_a_direct_conversation() -> None:
    @app_commands.command(description="-")
    async def here(interaction: Told) -> None:
        await interaction.response.send_message(f"{interaction.user.name} {interaction.guild_id}")

    async with stage(here) as s:
        conversation = s.site.world.dm(s.amy.user)
        assert (await (await s.amy.slash(conversation, "here")).message()).content == "amy None"


@pytest.mark.skipif(Judge.load() is None, reason="Discord's documents are not beside the project")
async def test_a_command_set_that_discord_would_refuse_is_refused() -> None:
    async with StandIn() as site:
        site.guild("cinema")
        async with listening(site) as client:
            bad = {"name": "stats", "description": "x" * 101, "type": 1}
            with pytest.raises(discord.HTTPException) as refused:
                await client.http.bulk_upsert_global_commands(site.application, [bad])
        assert (refused.value.code, site.commands.registered(None)) == (50035, [])
        assert site.violations[0] == (
            "PUT /applications/{application_id}/commands: [0].description: 101 characters, at most 100 are allowed"
        )
