"""A token issuer for one machine: signs tokens with its own key, and publishes that key as a JWKS.

Never for production: whoever can run it can be anyone.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.local.processes import free_port

AUDIENCE = "employment-services"


class Issuer:
    """Signs tokens, and serves the public key."""

    def __init__(self, port: int | None = None) -> None:
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self.port = port or free_port()
        self.name = f"http://127.0.0.1:{self.port}"
        self.jwks_url = f"{self.name}/jwks.json"
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Serve the public key in the background."""
        published = json.dumps(KeySet([self._key]).as_dict(private=False)).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(published)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def officer(self, authority: str, *roles: str, subject: str | None = None, lifetime: int = 12 * 3600) -> str:
        """Return an officer's token, by default with the role `officer`."""
        return self._sign(
            {
                "sub": subject or f"officer-of-{authority}",
                "authority": authority,
                "roles": list(roles or ("officer",)),
            },
            lifetime,
        )

    def system(self, subject: str, *scopes: str, lifetime: int = 12 * 3600) -> str:
        """Return another system's token."""
        return self._sign({"sub": subject, "scope": " ".join(scopes)}, lifetime)

    def _sign(self, claims: dict[str, object], lifetime: int) -> str:
        now = int(time.time())
        full = claims | {"iss": self.name, "aud": AUDIENCE, "iat": now, "exp": now + lifetime}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, full, self._key)
