// The headers every answer of a registry shares, in one place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "entrepot/http/message.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::api {

// The specification's error body; Allow, WWW-Authenticate, Range and Retry-After where the refusal
// has them.
http::Reply refusal_reply(const oci::Refusal& refusal);

// Range of an upload that has so many bytes: "0-0" also for none (distribution-spec has no form for
// an empty one).
std::string received_range(std::uint64_t received);

http::Reply empty_reply(int status);
// 201 with the place the content can be pulled from.
http::Reply created(std::string_view location, const oci::Digest& digest);

// Docker-Content-Digest, ETag and Cache-Control of content; `by_digest`: it can never change.
enum class Mutability { by_tag, by_digest };
void describe_content(http::Reply& reply, const oci::Digest& digest, Mutability mutability);
std::string entity_tag(const oci::Digest& digest);

// True when the client said it has this content already: then `reply` is a 304.
bool is_known_to_client(http::Reply& reply, const http::Request& request,
                        const oci::Digest& digest);

// Cache-Status (RFC 9211), Age, Warning, and what the access log says of it. Answers of local
// repositories come from no cache and carry none of these headers.
void describe_provenance(http::Reply& reply, const registry::Route& route,
                         const registry::Provenance& provenance);

// REQUIRES: what the path held at that place. Throw DIGEST_INVALID or TAG_INVALID.
oci::Digest required_digest(std::string_view text);
oci::Reference required_reference(std::string_view text);

}  // namespace entrepot::api
