"""The local Slack against the real clients: what works there must work in Slack, what Slack refuses it refuses."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.localslack import LocalSlack
from bot.localslack.delivery import Answer
from bot.localslack.workspace import User
from tests.http_servers import listening, serve, wait_for

MANIFEST = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
ROSA, SAM = "U1ROSA", "U2SAM"


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    people = [User(ROSA, "Rosa Delgado", "rosa@lake.example", locale="es-US"), User(SAM, "Sam Lee", "sam@lake.example")]
    with LocalSlack(MANIFEST, people) as slack:
        yield slack


@pytest.fixture
def client(slack: LocalSlack) -> WebClient:
    return WebClient("xoxb-local", base_url=slack.api_url)


def error_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_both_clients_post_read_and_look_people_up(slack, client):
    async def with_async() -> dict[str, Any]:
        other = AsyncWebClient("xoxb-local", base_url=slack.api_url)
        channel = (await other.conversations_open(users=ROSA))["channel"]["id"]
        await other.chat_postMessage(channel=channel, text="two")
        user = (await other.users_info(user=ROSA, include_locale=True))["user"]
        return {"messages": (await other.conversations_history(channel=channel))["messages"], "user": user}

    channel = client.conversations_open(users=ROSA)["channel"]["id"]
    client.chat_postMessage(channel=channel, text="one", metadata={"event_type": "x", "event_payload": {"id": "7"}})
    seen = asyncio.run(with_async())
    assert [message["text"] for message in seen["messages"]] == ["two", "one"], "newest first"
    assert "metadata" not in seen["messages"][1]
    assert seen["user"]["locale"] == "es-US"
    assert client.users_lookupByEmail(email="ROSA@lake.example")["user"]["id"] == ROSA
    whole = client.conversations_history(channel=channel, include_all_metadata=True, limit=1)
    assert whole["has_more"]
    rest = client.conversations_history(
        channel=channel, include_all_metadata=True, cursor=whole["response_metadata"]["next_cursor"]
    )
    assert rest["messages"][0]["metadata"]["event_payload"] == {"id": "7"}


def test_it_refuses_what_slack_refuses(slack, client):
    too_long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    assert error_of(client.chat_postMessage, channel=ROSA, text="hi", blocks=too_long) == "invalid_blocks"
    assert error_of(client.chat_postMessage, channel=ROSA) == "no_text"
    assert error_of(client.chat_postMessage, channel="C404", text="hi") == "channel_not_found"
    assert error_of(client.chat_postMessage, channel=ROSA, text="hi", thread_ts="1.0") == "thread_not_found"
    assert (
        error_of(client.views_open, trigger_id="made-up", view={"type": "modal", "title": plain("T"), "blocks": []})
        == "invalid_trigger_id"
    )
    assert error_of(client.reactions_add, channel="D1ROSA", name="wave", timestamp="1.0") == "missing_scope"
    assert error_of(client.api_call, api_method="no.such") == "unknown_method"
    assert error_of(WebClient("xoxb-wrong", base_url=slack.api_url).auth_test) == "invalid_auth"
    assert error_of(WebClient(base_url=slack.api_url).users_list) == "not_authed"


def test_a_message_can_be_changed_and_deleted_by_the_app_only(slack, client):
    posted = client.chat_postMessage(channel=ROSA, text="first")
    client.chat_update(channel=posted["channel"], ts=posted["ts"], text="second")
    assert slack.as_user(ROSA).last["text"] == "second"
    hers = slack.as_user(ROSA).say("mine")
    assert error_of(client.chat_update, channel=posted["channel"], ts=hers, text="not mine") == "cant_update_message"
    client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert slack.as_user(ROSA).from_app() == []


def test_a_file_arrives_in_the_conversation_and_can_be_downloaded(slack, client):
    channel = client.conversations_open(users=ROSA)["channel"]["id"]
    client.files_upload_v2(
        channel=channel, filename="plan.pdf", content=b"%PDF-1.7 plan", title="My plan", initial_comment="Here"
    )
    file = slack.as_user(ROSA).last["files"][0]
    assert file["title"] == "My plan"
    assert httpx.get(file["url_private"], trust_env=False).content == b"%PDF-1.7 plan"


def test_a_scheduled_message_fires_when_the_clock_passes(slack, client):
    at = int((slack.clock.now() + timedelta(hours=2)).timestamp())
    client.chat_scheduleMessage(channel=ROSA, text="later", post_at=at)
    client.chat_scheduleMessage(channel=ROSA, text="lost", post_at=at, metadata={"event_type": "x", "event_payload": {}})
    slack.clock.advance(timedelta(hours=1))
    assert slack.as_user(ROSA).messages() == []
    slack.clock.advance(timedelta(hours=2))
    assert [message["text"] for message in slack.as_user(ROSA).messages()] == ["later"], "Slack loses the one with metadata"
    assert error_of(client.chat_scheduleMessage, channel=ROSA, text="x", post_at=at) == "time_in_past"


def test_faults_are_told_apart(slack, client):
    client.retry_handlers.clear()
    slack.fault("ratelimited")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=ROSA, text="a")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    slack.fault("error_after")
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=ROSA, text="b")
    slack.fault("drop")
    with pytest.raises(Exception, match=r"IncompleteRead|Remote end|Connection"):
        client.chat_postMessage(channel=ROSA, text="c")
    assert [message["text"] for message in slack.as_user(ROSA).messages()] == ["b", "c"]
    assert [call.status for call in slack.calls("chat.postMessage")] == [429, 500, 0]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


MODAL = {
    "type": "modal",
    "callback_id": "goal",
    "title": plain("My goal"),
    "submit": plain("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "role",
            "label": plain("Role"),
            "element": {
                "type": "static_select",
                "action_id": "choice",
                "options": [{"text": plain("Nurse"), "value": "rn"}, {"text": plain("Cook"), "value": "cook"}],
            },
        },
        {
            "type": "input",
            "block_id": "why",
            "optional": True,
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
    ],
}


def bolt_app(slack: LocalSlack, seen: list[Any]) -> App:
    app = App(
        token="xoxb-local", signing_secret="local-signing-secret", client=WebClient("xoxb-local", base_url=slack.api_url)
    )

    @app.event("message")
    def on_message(event, say):
        if not event.get("subtype"):
            say(
                text=f"you said {event['text']}",
                blocks=[
                    {
                        "type": "actions",
                        "elements": [{"type": "button", "text": plain("Goal"), "action_id": "open", "value": "1"}],
                    }
                ],
            )
        seen.append(event.get("subtype") or "message")

    @app.event("app_home_opened")
    def on_home(event, client):
        client.views_publish(
            user_id=event["user"],
            view={"type": "home", "blocks": [{"type": "header", "text": plain(f"Hello {event['tab']}")}]},
        )

    @app.action("open")
    def on_open(ack, body, client):
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("goal")
    def on_goal(ack, view):
        values = view["state"]["values"]
        if not values["why"]["text"]["value"]:
            ack(response_action="errors", errors={"why": "Say a word about it"})
            return
        seen.append((values["role"]["choice"]["selected_option"]["value"], values["why"]["text"]["value"]))
        ack()

    @app.command("/career")
    def on_career(ack, command, respond):
        ack(f"looking for {command['text']}")
        respond("found")

    return app


def live_through_it(slack: LocalSlack, seen: list[Any]) -> None:
    rosa = slack.as_user(ROSA)
    assert rosa.ask("hola")["text"] == "you said hola"
    rosa.click("Goal")
    assert rosa.wait_for_modal()["title"]["text"] == "My goal"
    rosa.submit({"choice": "Nurse"})
    assert rosa.modal["errors"] == {"why": "Say a word about it"}
    rosa.submit({"choice": "rn", "text": "my aunt is one"})
    assert rosa.modal is None
    rosa.command("/career", "nurse pay")
    slack.workspace.until(lambda: [m for m in rosa.messages() if m["text"] == "found"], 5)
    assert "looking for nurse pay" in [message["text"] for message in rosa.messages()]
    assert "looking for nurse pay" not in [message["text"] for message in slack.as_user(SAM).messages()]
    rosa.open_home()
    slack.workspace.until(lambda: rosa.home, 5)
    assert rosa.home["blocks"][0]["text"]["text"] == "Hello home"
    ts = rosa.say("wrong word")
    rosa.edit(ts, "right word")
    rosa.delete(ts)
    slack.workspace.until(lambda: {"message_changed", "message_deleted"} <= {s for s in seen if isinstance(s, str)}, 5)
    assert ("rn", "my aunt is one") in seen


def test_a_real_bolt_app_lives_on_socket_mode(slack):
    seen: list[Any] = []
    handler = SocketModeHandler(bolt_app(slack, seen), "xapp-local")
    handler.connect()
    try:
        slack.workspace.until(lambda: slack.delivery.sockets, 5)
        live_through_it(slack, seen)
    finally:
        handler.close()


def test_a_real_bolt_app_lives_on_signed_http(slack):
    seen: list[Any] = []
    served = serve(bolt_app(slack, seen))
    slack.delivery.request_url = served.url
    try:
        live_through_it(slack, seen)
        slack.delivery.signing_secret = "somebody else"
        asked = slack.as_user(SAM).say("forged")
        assert not any(float(m["ts"]) > float(asked) for m in slack.as_user(SAM).from_app())
    finally:
        served.stop()


def test_an_event_that_is_not_taken_comes_again_at_once_then_after_a_minute_and_five(slack):
    tries: list[str] = []

    def taking(path: str, headers: Any, body: bytes) -> int:
        tries.append(headers.get("X-Slack-Retry-Num", "first"))
        return 500

    with listening(taking) as url:
        slack.delivery.request_url = url
        slack.as_user(ROSA).say("hello?")
        wait_for(lambda: len(tries) == 2 and slack.clock.waits)
        slack.clock.advance(timedelta(minutes=1))
        wait_for(lambda: len(tries) == 3 and slack.clock.waits)
        slack.clock.advance(timedelta(minutes=5))
        wait_for(lambda: len(tries) == 4)
    assert tries == ["first", "1", "2", "3"]


def test_sign_in_with_slack_gives_a_signed_token_for_the_person_chosen(slack):
    back = "http://127.0.0.1:1/callback"
    asked = {
        "response_type": "code",
        "client_id": "local-client",
        "scope": "openid email profile",
        "redirect_uri": back,
        "state": "s1",
        "nonce": "n1",
    }
    picked = httpx.get(f"{slack.url}/openid/connect/authorize", params=asked, trust_env=False)
    assert "Rosa Delgado" in picked.text
    sent = httpx.get(f"{slack.url}/openid/connect/authorize", params=asked | {"user": ROSA}, trust_env=False)
    answer = parse_qs(urlparse(sent.headers["location"]).query)
    assert answer["state"] == ["s1"]
    client = OAuth2Client("local-client", "local-client-secret", redirect_uri=back, trust_env=False)
    token = client.fetch_token(f"{slack.api_url}openid.connect.token", code=answer["code"][0])
    keys = KeySet.import_key_set(httpx.get(f"{slack.url}/openid/connect/keys", trust_env=False).json())
    claims = jwt.decode(token["id_token"], keys).claims
    assert (claims["sub"], claims["nonce"], claims["aud"], claims["iss"]) == (ROSA, "n1", "local-client", slack.url)
    again = httpx.post(
        f"{slack.api_url}openid.connect.token",
        data={"code": answer["code"][0]},
        auth=("local-client", "local-client-secret"),
        trust_env=False,
    )
    assert again.json() == {"ok": False, "error": "code_already_used"}


def test_a_page_of_another_site_cannot_reach_it(slack):
    assert httpx.get(slack.url, headers={"Host": "evil.example"}, trust_env=False).status_code == 400


def test_every_button_of_the_page_can_be_pressed(slack, client):
    elements = [
        button("one"),
        {"type": "static_select", "action_id": "two", "options": [{"text": plain("A"), "value": "a"}]},
    ]
    client.chat_postMessage(channel=ROSA, text="t", blocks=[{"type": "actions", "block_id": 'b"1', "elements": elements}])
    page = httpx.get(f"{slack.url}/?as={ROSA}", trust_env=False).text
    assert 'data-block="b&#34;1" data-press="one"' in page
    place = slack.as_user(ROSA).last["ts"]
    pressed = {"do": "act", "place": place, "block": 'b"1', "action": "two", "value": "a"}
    taken: list[Any] = []
    slack.delivery.ask = lambda kind, payload, *_: taken.append(payload["actions"][0]) or Answer(True, {})
    assert httpx.post(f"{slack.url}/page/act?as={ROSA}", json=pressed, trust_env=False).status_code == 200
    assert taken[0]["selected_option"]["value"] == "a"
    gone = httpx.post(f"{slack.url}/page/act?as={ROSA}", json=pressed | {"block": "b2"}, trust_env=False)
    assert gone.json() == {"error": "this button is no longer there"}


def button(action_id: str) -> dict[str, Any]:
    return {"type": "button", "text": plain("Press"), "action_id": action_id}


def test_words_on_the_page_stay_words(slack, client):
    hostile = "<script>alert(1)</script> <javascript:alert(2)|press me> *bold* <https://ok.example|fine>"
    client.chat_postMessage(
        channel=ROSA, text=hostile, blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": hostile}}]
    )
    slack.as_user(ROSA).say('"><img src=x onerror=alert(3)>')
    page = httpx.get(f"{slack.url}/?as={ROSA}", trust_env=False).text
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "<img src=x" not in page
    assert '<a href="https://ok.example"' in page
    assert "<strong>bold</strong>" in page
