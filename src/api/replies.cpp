#include "api/replies.hpp"

#include "entrepot/http/conditional.hpp"

namespace entrepot::api {
namespace {

struct Wording {
  std::string_view header;  // Cache-Status
  std::string_view log;     // cache= of the access line, outcome of the metrics
};

// "fill" in the log is a request that joined another one's download, "miss" one that had to ask
// upstream itself: saved and spent bytes are told apart by that.
Wording wording(registry::Outcome outcome) {
  using enum registry::Outcome;
  switch (outcome) {
    case hit:
      return {"entrepot; hit", "hit"};
    case revalidated:
      return {"entrepot; hit; detail=revalidated", "hit"};
    case stale:
      return {"entrepot; hit; detail=stale", "stale"};
    case offline:
      return {"entrepot; hit; detail=offline", "hit"};
    case fetched:
      return {"entrepot; fwd=miss; stored", "miss"};
    case collapsed:
      return {"entrepot; fwd=miss; collapsed", "fill"};
    case passed:
      return {"entrepot; fwd=miss", "miss"};
  }
  return {"entrepot", "-"};
}

}  // namespace

http::Reply refusal_reply(const oci::Refusal& refusal) {
  const auto& row = oci::error_row(refusal.code);
  auto reply = http::text_reply(row.status, "application/json", oci::error_body(refusal));
  reply.headers.set("X-Content-Type-Options", "nosniff");
  if (row.status == 405) reply.headers.set("Allow", refusal.allow);
  if (!refusal.challenge.empty()) reply.headers.set("WWW-Authenticate", refusal.challenge);
  if (refusal.upload_offset) reply.headers.set("Range", received_range(*refusal.upload_offset));
  if (refusal.retry_after) {
    reply.headers.set("Retry-After", std::to_string(refusal.retry_after->count()));
  }
  return reply;
}

std::string received_range(std::uint64_t received) {
  return "0-" + std::to_string(received == 0 ? 0 : received - 1);
}

http::Reply empty_reply(int status) {
  http::Reply reply;
  reply.status = status;
  return reply;
}

http::Reply created(std::string_view location, const oci::Digest& digest) {
  auto reply = empty_reply(201);
  reply.headers.set("Location", location);
  reply.headers.set("Docker-Content-Digest", digest.text());
  return reply;
}

std::string entity_tag(const oci::Digest& digest) { return '"' + digest.text() + '"'; }

void describe_content(http::Reply& reply, const oci::Digest& digest, Mutability mutability) {
  auto text = digest.text();
  reply.headers.set("Docker-Content-Digest", text);
  reply.headers.set("ETag", '"' + text + '"');
  // A digest's content is the same for ever; a tag's may move, its ETag tells.
  reply.headers.set("Cache-Control", mutability == Mutability::by_digest
                                         ? "max-age=31536000, immutable"
                                         : "no-cache");
}

bool is_known_to_client(http::Reply& reply, const http::Request& request,
                        const oci::Digest& digest) {
  const auto condition = request.headers.get("If-None-Match");
  if (!condition || !http::if_none_match(*condition, entity_tag(digest))) return false;
  reply.status = 304;
  reply.body.clear();
  reply.head_length = 0;
  return true;
}

void describe_provenance(http::Reply& reply, const registry::Route& route,
                         const registry::Provenance& provenance) {
  if (route.upstream.empty()) {
    reply.trace.cache = "hit";
    return;
  }
  const auto words = wording(provenance.outcome);
  reply.trace.cache = words.log;
  reply.trace.upstream_time = provenance.upstream_time;
  reply.headers.set("Cache-Status", words.header);
  if (provenance.age) reply.headers.set("Age", std::to_string(provenance.age->count()));
  if (provenance.outcome == registry::Outcome::stale) {
    reply.headers.add("Warning", R"(110 - "Response is Stale")");
  }
  if (provenance.upstream_failed) {
    reply.headers.add("Warning", R"(111 - "Revalidation Failed")");
  }
}

oci::Digest required_digest(std::string_view text) {
  auto digest = oci::Digest::parse(text);
  if (!digest) throw oci::Refusal(oci::ErrorCode::digest_invalid, "not a digest we know");
  return *digest;
}

oci::Reference required_reference(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return oci::Reference(required_digest(text));
  auto tag = oci::Tag::parse(text);
  if (!tag) throw oci::Refusal(oci::ErrorCode::tag_invalid, "not a tag");
  return oci::Reference(std::move(*tag));
}

}  // namespace entrepot::api
