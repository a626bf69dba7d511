// The pieces of a body, let through as far as the quotas have room for them: of a body whose length
// is told before its first byte, else while it comes.
#pragma once

#include <cstdint>
#include <optional>

#include "entrepot/registry/uploads.hpp"
#include "registry/upload_sessions.hpp"

namespace entrepot::registry {

class Reservation {
 public:
  // Of what goes into the held session, behind the bytes its Spool has. `digest`: what it is to
  // become, when that is known; it costs nothing if the repository has it.
  Reservation(const UploadSessions::Hold& hold, Writer& writer, std::optional<oci::Digest> digest,
              NextPiece pieces);

  // Room for so many bytes at once; no more is asked for then.
  async::Task<> whole(std::uint64_t length);
  // A NextPiece. Refuses instead of giving out what there is no room for.
  async::Task<base::ByteView> next();

 private:
  async::Task<Room> room() const;

  const UploadSessions::Hold& hold_;
  Writer& writer_;
  const std::optional<oci::Digest> digest_;
  const NextPiece pieces_;
  std::uint64_t given_;     // with what was there before
  std::uint64_t reserved_;  // likewise
};

}  // namespace entrepot::registry
