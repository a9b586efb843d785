"""The invented web shop behind the sample logs: its services, their messages, and the routes of requests."""

from typing import NamedTuple


class Service(NamedTuple):
    """One program of the shop. Every message holds one number: an id or a count."""

    name: str
    median_ms: float
    error_rate: float
    done: tuple[str, ...]
    failed: tuple[str, ...]
    idle: tuple[str, ...] = ()  # logged outside of any request
    spread: float = 0.6  # sigma of the lognormal distribution of its response times


class Route(NamedTuple):
    """One kind of request. The first service responds to the user and calls the others in turn."""

    weight: int
    method: str
    path: str
    services: tuple[str, ...]


SERVICES = (
    Service(
        "api-gateway",
        9,
        0.002,
        ("request %d routed", "request %d authenticated and forwarded"),
        ("upstream of request %d closed the connection", "no healthy upstream for request %d"),
        ("configuration %d loaded", "certificate %d renewed"),
    ),
    Service(
        "auth-service",
        14,
        0.006,
        ("token %d issued", "session %d refreshed", "two-factor code %d accepted"),
        ("signing key %d cannot be read", "directory lookup %d timed out"),
        ("%d expired tokens removed",),
    ),
    Service(
        "user-service",
        18,
        0.004,
        ("profile %d loaded", "address %d updated", "preferences %d saved"),
        ("profile %d not readable: connection reset by database",),
        ("%d profiles reindexed",),
    ),
    Service(
        "payment-service",
        120,
        0.06,  # cards are often declined
        ("payment %d authorised", "payment %d captured", "refund %d booked"),
        (
            "payment %d declined: card issuer does not answer",
            "payment %d failed: gateway timeout",
            "capture of payment %d rejected: amount differs from authorisation",
        ),
        ("settlement file %d written",),
        0.8,
    ),
    Service(
        "order-service",
        45,
        0.008,
        ("order %d created", "order %d confirmed", "order %d cancelled by user"),
        ("order %d not saved: deadlock detected", "order %d refers to a missing item"),
        ("%d orders archived",),
    ),
    Service(
        "cart-service",
        8,
        0.003,
        ("item %d added to cart", "item %d removed from cart", "cart %d restored"),
        ("cart %d not found in cache",),
        ("%d abandoned carts expired",),
    ),
    Service(
        "catalog-service",
        22,
        0.003,
        ("product %d read", "category %d listed", "product %d read from cache"),
        ("product %d has no price",),
        ("%d products synchronised",),
    ),
    Service(
        "inventory-service",
        16,
        0.006,
        ("stock of item %d reserved", "stock of item %d released", "stock of item %d checked"),
        ("reservation of item %d failed: stock is negative",),
        ("stock level of item %d below threshold",),
    ),
    Service(
        "shipping-service",
        60,
        0.01,
        ("label %d printed", "parcel %d handed to carrier", "quote %d calculated"),
        ("carrier refused parcel %d", "address of parcel %d cannot be verified"),
    ),
    Service(
        "notification-service",
        30,
        0.008,
        ("push message %d delivered", "text message %d queued"),
        ("push message %d bounced: token expired",),
        ("%d messages waiting",),
    ),
    Service(
        "search-service",
        35,
        0.004,
        ("query answered with %d hits", "suggestions answered with %d entries"),
        ("query cancelled after %d shards failed",),
        ("segment %d merged", "index generation %d published"),
        0.7,
    ),
    Service(
        "recommendation-service",
        55,
        0.005,
        ("%d candidates ranked", "model answered with %d items"),
        ("feature vector %d missing, popular items sent instead",),
        ("model %d loaded",),
        0.7,
    ),
    Service(
        "pricing-service",
        11,
        0.003,
        ("price list %d applied", "discount %d calculated"),
        ("currency table %d is too old",),
        ("price list %d activated",),
    ),
    Service(
        "review-service",
        20,
        0.004,
        ("%d reviews listed", "review %d stored"),
        ("review %d not stored: text is too long",),
    ),
    Service(
        "media-service",
        40,
        0.006,
        ("image %d resized", "image %d sent from cache"),
        ("image %d is damaged",),
        ("%d unused images removed",),
        0.9,
    ),
    Service(
        "fraud-service",
        70,
        0.006,
        ("payment scored with %d points", "rule set %d evaluated"),
        ("scoring model did not answer within %d ms",),
        ("rule set %d activated",),
    ),
    Service(
        "billing-service",
        80,
        0.008,
        ("invoice %d written", "invoice %d sent"),
        ("invoice %d not written: tax table is missing",),
        ("%d invoices waiting for payment",),
    ),
    Service(
        "session-service",
        4,
        0.002,
        ("session %d read", "session %d extended"),
        ("session store node %d does not answer",),
        ("%d sessions expired",),
    ),
    Service(
        "report-worker",
        400,
        0.01,
        ("report %d finished",),
        ("report %d given up after 3 attempts",),
        ("job %d started", "job %d waits for a free worker"),
        0.9,
    ),
    Service(
        "email-worker",
        150,
        0.015,
        ("mail %d accepted by relay",),
        ("mail %d refused by relay: mailbox is full", "relay closed the connection during mail %d"),
        ("%d mails in queue",),
    ),
)

ROUTES = (
    Route(20, "GET", "/api/products/{id}", ("api-gateway", "catalog-service", "pricing-service")),
    Route(16, "GET", "/api/search", ("api-gateway", "search-service")),
    Route(10, "GET", "/api/recommendations", ("api-gateway", "recommendation-service")),
    Route(10, "POST", "/api/cart/items", ("api-gateway", "session-service", "cart-service", "inventory-service")),
    Route(8, "POST", "/api/login", ("api-gateway", "auth-service", "session-service")),
    Route(8, "GET", "/api/users/{id}", ("api-gateway", "user-service")),
    Route(7, "GET", "/api/products/{id}/reviews", ("api-gateway", "review-service")),
    Route(6, "GET", "/media/{id}", ("api-gateway", "media-service")),
    Route(
        9,
        "POST",
        "/api/orders",
        (
            "api-gateway",
            "order-service",
            "inventory-service",
            "fraud-service",
            "payment-service",
            "notification-service",
        ),
    ),
    Route(
        3,
        "POST",
        "/api/payments/{id}/refund",
        ("api-gateway", "payment-service", "billing-service", "email-worker"),
    ),
    Route(4, "GET", "/api/orders/{id}/shipping", ("api-gateway", "order-service", "shipping-service")),
    Route(1, "POST", "/api/reports", ("api-gateway", "report-worker")),
)
