"""Sign in with Slack (OpenID Connect) and the install flow (OAuth 2), with a page on which one picks who one is."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from urllib.parse import urlencode, urlparse

from joserfc import jwt
from joserfc.jwk import RSAKey

from bot.localslack.workspace import Json, SlackError, User, Workspace

CODE_LIVES = timedelta(minutes=10)
SIGN_IN_SCOPES = {"openid", "email", "profile"}


@dataclass
class Grant:
    """What a person agreed to, until the code is changed into a token."""

    user_id: str
    redirect_uri: str
    scopes: set[str]
    nonce: str = ""


@dataclass
class OpenId:
    workspace: Workspace
    client_id: str
    client_secret: str
    bot_token: str
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # user token → person

    @cached_property
    def key(self) -> RSAKey:
        """Made at the first sign-in: it takes a while."""
        key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"})
        key.ensure_kid()
        return key

    def configuration(self) -> Json:
        base = self.workspace.base_url
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/openid/connect/authorize",
            "token_endpoint": f"{base}/api/openid.connect.token",
            "userinfo_endpoint": f"{base}/api/openid.connect.userInfo",
            "jwks_uri": f"{base}/openid/connect/keys",
            "scopes_supported": sorted(SIGN_IN_SCOPES),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "auth_time", "iss"],
        }

    def keys(self) -> Json:
        return {"keys": [self.key.as_dict(private=False)]}

    def check_request(self, query: Json) -> Grant:
        """The request of an authorize page. Raises SlackError when Slack would show an error page."""
        if query.get("client_id") != self.client_id:
            raise SlackError("invalid_client_id")
        redirect = str(query.get("redirect_uri") or "")
        if urlparse(redirect).scheme not in ("http", "https"):
            raise SlackError("bad_redirect_uri")
        scopes = set(str(query.get("scope") or "").replace(",", " ").split())
        return Grant("", redirect, scopes, str(query.get("nonce") or ""))

    def allow(self, query: Json, user: User) -> str:
        """The address to send the browser back to, with a one-use code."""
        grant = self.check_request(query)
        grant.user_id = user.id
        code = self.workspace.ticket("code")
        self.grants[code] = grant
        answer = urlencode({"code": code, "state": str(query.get("state") or "")})
        return f"{grant.redirect_uri}{'&' if '?' in grant.redirect_uri else '?'}{answer}"

    def _spend(self, arguments: Json, basic: tuple[str, str] | None) -> Grant:
        client = basic or (str(arguments.get("client_id") or ""), str(arguments.get("client_secret") or ""))
        if not secrets.compare_digest("\n".join(client), f"{self.client_id}\n{self.client_secret}"):
            raise SlackError("bad_client_secret")
        code = str(arguments.get("code") or "")
        problem = self.workspace.spend(code, CODE_LIVES)
        if problem or code not in self.grants:
            raise SlackError({"spent": "code_already_used", "expired": "code_expired"}.get(problem, "invalid_code"))
        grant = self.grants.pop(code)
        if arguments.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
            raise SlackError("bad_redirect_uri")
        return grant

    def sign_in_token(self, arguments: Json, basic: tuple[str, str] | None) -> Json:
        """openid.connect.token"""
        grant = self._spend(arguments, basic)
        if not grant.scopes >= {"openid"}:
            raise SlackError("missing_scope", needed="openid", provided=",".join(sorted(grant.scopes)))
        token = f"xoxp-local-{secrets.token_urlsafe(12)}"
        self.tokens[token] = grant.user_id
        now = int(time.time())  # not the clock that can be moved: whoever checks the token looks at a real one
        claims = {**self._claims(grant.user_id), "iss": self.workspace.base_url, "aud": self.client_id}
        claims |= {"iat": now, "exp": now + 300, "auth_time": now}
        if grant.nonce:
            claims["nonce"] = grant.nonce
        signed = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return {"access_token": token, "token_type": "Bearer", "id_token": signed}

    def user_info(self, token: str) -> Json:
        """openid.connect.userInfo"""
        if token not in self.tokens:
            raise SlackError("invalid_auth")
        return self._claims(self.tokens[token])

    def install_token(self, arguments: Json, basic: tuple[str, str] | None) -> Json:
        """oauth.v2.access"""
        grant, workspace = self._spend(arguments, basic), self.workspace
        return {
            "access_token": self.bot_token,
            "token_type": "bot",
            "scope": ",".join(sorted(workspace.scopes)),
            "bot_user_id": workspace.bot_user_id,
            "app_id": workspace.app_id,
            "team": {"id": workspace.team_id, "name": workspace.team_name},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": grant.user_id},
        }

    def _claims(self, user_id: str) -> Json:
        user, workspace = self.workspace.user(user_id), self.workspace
        first, _, last = user.real_name.partition(" ")
        return {
            "sub": user.id,
            "https://slack.com/user_id": user.id,
            "https://slack.com/team_id": workspace.team_id,
            "https://slack.com/team_name": workspace.team_name,
            "https://slack.com/team_domain": workspace.domain,
            "email": user.email,
            "email_verified": bool(user.email),
            "name": user.real_name,
            "given_name": first,
            "family_name": last,
            "locale": user.locale,
            "picture": f"{workspace.base_url}/avatars/{user.id}.svg",
        }
