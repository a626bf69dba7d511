// Events as these tests need them.
#pragma once

#include <string>

#include "entrepot/index/events.hpp"

namespace entrepot::notify {

inline oci::Digest digest_of(std::string_view content) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(content));
}

inline index::Event event_of(index::EventKind kind, std::string repository, std::string tag,
                             base::WallTime time = base::system_clock().wall()) {
  index::Event event;
  event.time = time;
  event.kind = kind;
  event.repository = std::move(repository);
  event.tag = std::move(tag);
  event.digest = digest_of("manifest");
  event.media_type = "application/vnd.oci.image.manifest.v1+json";
  event.size = 708;
  event.actor = {.name = "alice",
                 .address = "192.0.2.7:55555",
                 .request_id = "0123456789abcdef",
                 .method = "PUT",
                 .host = "registry.example.org",
                 .user_agent = "docker/24.0.5",
                 .origin = "https://registry.example.org"};
  return event;
}

}  // namespace entrepot::notify
