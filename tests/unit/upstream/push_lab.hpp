// A Place in front of a Shelf, and blobs to offer it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/upstream/lab.hpp"
#include "unit/upstream/shelf.hpp"

namespace entrepot::upstream {

// Where each opening of an offer began.
using Openings = std::vector<std::uint64_t>;

inline async::Task<registry::Answer<registry::BlobContent>> open_text(
    std::string bytes, std::shared_ptr<Openings> openings, registry::BlobStart start) {
  openings->push_back(start.offset);
  co_return registry::BlobContent{async::memory_source(std::move(bytes))};
}

// Outlives the server that speaks of it.
struct PushStock {
  test::Shelf shelf;
  std::shared_ptr<Openings> openings = std::make_shared<Openings>();
  const std::string large = test::noise(9'000'000, 3);
  const std::string little = test::noise(70'000, 4);
};

class PushLab : public testing::Test, public PushStock, public Lab {
 protected:
  PushLab() {
    server.on("", [this](test::Exchange& exchange) { shelf.answer(exchange); });
  }

  registry::BlobOffer offer(const std::string& bytes) {
    return {.digest = digest_of(bytes),
            .size = bytes.size(),
            .open = [bytes, openings = openings](registry::BlobStart start) {
              return open_text(bytes, openings, start);
            }};
  }
  registry::Answer<registry::BlobTaken> put(const std::string& bytes) {
    return run(place().put_blob(app(), offer(bytes)));
  }
  std::string stored(const std::string& bytes) const {
    return shelf.blob("library/app", digest_of(bytes));
  }
};

}  // namespace entrepot::upstream
