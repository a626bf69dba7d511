// An upload under way at an upstream (distribution-spec "Pushing blobs"): a session that one of its
// URLs opened, at an address it names anew with each answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "entrepot/registry/sink.hpp"
#include "upstream/asker.hpp"
#include "upstream/offered_bytes.hpp"

namespace entrepot::upstream {

// Asked one thing at a time; each question once, for who asks knows whether and where to go on.
class Upload {
 public:
  struct Place {
    std::size_t url = 0;  // which of the configured ones opened it
    http::Url address;    // where it goes on
  };
  Upload(std::shared_ptr<Asker> asker, oci::RepositoryName repository, Place place)
      : asker_(std::move(asker)), repository_(std::move(repository)), place_(std::move(place)) {}

  const Place& place() const { return place_; }

  // How many bytes stand there; absent: it does not tell. One byte may be told as none.
  async::Task<Try<std::optional<std::uint64_t>>> offset();
  // Sends the bytes [from, size) of `piece`; how many stand there then.
  async::Task<Try<std::uint64_t>> send(std::shared_ptr<OfferedBytes> piece, std::uint64_t from);
  // Makes it the blob of that digest, with all of `whole` as its only piece, or (null) as it is.
  async::Task<Try<void>> finish(oci::Digest digest, std::shared_ptr<OfferedBytes> whole);
  // Nobody goes on with it. What comes of that does not matter.
  async::Task<> cancel();

 private:
  Question question(std::string method) const;
  // From an answer's Location; false when it leads where we do not go.
  bool move_on(const Reply& reply);

  std::shared_ptr<Asker> asker_;
  oci::RepositoryName repository_;
  Place place_;
};

// What a registry makes of the wish to push a blob.
struct Opened {
  bool mounted = false;
  std::optional<Upload> upload;  // unless mounted
};
// With `from`: asks for the blob of that repository, instead of its bytes.
async::Task<registry::Answer<Opened>> open_upload(std::shared_ptr<Asker> asker,
                                                  oci::RepositoryName repository,
                                                  oci::Digest digest,
                                                  std::optional<oci::RepositoryName> from);

}  // namespace entrepot::upstream
