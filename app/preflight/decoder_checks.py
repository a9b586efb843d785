"""Check of what decodes records."""

from app.preflight.findings import Finding, ok, problem
from app.settings import Settings


def check_decoder(settings: Settings, missing: str) -> Finding:
    """The finding; `missing` says why there is no compiled code, and is empty if there is."""
    wanted = settings.service.decoder
    if wanted == "python":
        return ok("decoder", "python, as DECODER says")
    if not missing:
        return ok("decoder", "native: compiled code")
    if wanted == "native":
        return problem("decoder", f"DECODER is native, but {missing}", "`make native` builds it, or set DECODER=auto")
    return ok("decoder", f"python, which takes more processor time than compiled code: {missing}")
