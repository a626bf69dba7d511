// A mirror over a scripted upstream, with everything it stands on in memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "entrepot/mirror/mirror.hpp"
#include "mirror/fill_table.hpp"
#include "support/chunks.hpp"
#include "support/manual_clock.hpp"
#include "support/run_task.hpp"
#include "support/scripted_source.hpp"
#include "support/site.hpp"
#include "support/words.hpp"

namespace entrepot::test {

using registry::FailureKind;
using registry::Outcome;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Verb = ScriptedSource::Verb;

// What came of reading a body to its end, as a client would.
struct Body {
  std::string bytes;
  bool complete = false;
};

inline async::Task<Body> drain(async::ByteSource& source, std::uint64_t offset = 0) {
  Body body;
  try {
    while (offset < source.size()) {
      const auto chunk = co_await source.read_at(offset, 100'000);
      body.bytes += text_of(chunk);
      offset += async::length_of(chunk);
    }
    body.complete = true;
  } catch (const oci::Refusal&) {
    // Cut off: what came so far is all there is.
  }
  co_return body;
}

inline async::Task<> until_no_fills(std::shared_ptr<mirror::FillTable::State> fills) {
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(fills->mutex);
      if (fills->downloads.empty()) co_return;
      ticket = fills->left.ticket();
    }
    co_await fills->left.wait(ticket);
  }
}

class MirrorHouse : public testing::Test {
 protected:
  explicit MirrorHouse(mirror::AbandonedFill abandoned = mirror::AbandonedFill::finish)
      : fills_(collaborators(), abandoned) {}

  mirror::FillTable::Collaborators collaborators() {
    return {.index = site_.facts,
            .store = site_.store,
            .admission = admission_,
            .pool = pool_,
            .clock = clock_,
            .metrics = metrics_};
  }

  // Another mirror (another account, another upstream) on the same table, index and store.
  registry::Source& add_mirror(mirror::MirrorOptions options, registry::Source& upstream) {
    mirrors_.push_back(mirror::make_mirror(std::move(options), upstream, fills_));
    return *mirrors_.back();
  }
  registry::Source& hub() {
    if (mirrors_.empty()) add_mirror(options_, upstream_);
    return *mirrors_.front();
  }

  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }
  // Until no fill is running.
  void settle() { run(until_no_fills(fills_.state())); }

  registry::Answer<registry::BlobContent> open(const std::string& repository,
                                               const oci::Digest& digest) {
    return run(hub().blob(name(repository), digest));
  }
  // A whole pull of one blob; an empty, incomplete body when it is refused at once.
  Body pull(const std::string& repository, const oci::Digest& digest) {
    auto content = open(repository, digest);
    if (!content) return {};
    return run(drain(*content->bytes));
  }
  registry::Answer<registry::ManifestContent> get(const std::string& repository,
                                                  const oci::Reference& reference) {
    return run(hub().manifest(name(repository), reference));
  }
  registry::Answer<registry::Resolved> head(const std::string& repository,
                                            const oci::Reference& reference) {
    return run(hub().resolve(name(repository), reference));
  }

  bool stored(const oci::Digest& digest) { return site_.store.find(digest).has_value(); }
  bool counted(const std::string& line) {
    return metrics_.render().find(line) != std::string::npos;
  }

  // An image at the upstream; returns its manifest's bytes.
  std::string put_image(const std::string& repository, const std::string& tag, unsigned seed = 1) {
    const auto config = noise(300, seed);
    const auto layer = noise(100'000, seed + 1000);
    upstream_.put_blob(repository, config);
    upstream_.put_blob(repository, layer);
    const auto bytes =
        image_manifest({{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
    upstream_.put_manifest(repository, tag, std::string(oci::media_type::oci_manifest), bytes);
    return bytes;
  }
  // Everything a client takes of an image.
  void pull_image(const std::string& repository, const std::string& tag_name, unsigned seed = 1) {
    ASSERT_TRUE(get(repository, reference(tag_name)));
    EXPECT_TRUE(pull(repository, digest_of(noise(300, seed))).complete);
    EXPECT_TRUE(pull(repository, digest_of(noise(100'000, seed + 1000))).complete);
    settle();
  }

  mirror::MirrorOptions options_{.name = "hub"};
  ManualClock clock_;
  base::Metrics metrics_;
  async::BlockingPool pool_{1};
  Site site_;
  registry::Admission admission_{site_.facts, site_.store, clock_, metrics_};
  ScriptedSource upstream_;
  // Fills and refreshes still asleep at the end of a test go with it, before what they use.
  async::asio::io_context context_{1};
  mirror::FillTable fills_;
  std::vector<std::unique_ptr<registry::Source>> mirrors_;
};

template <class T>
std::optional<FailureKind> failed(const registry::Answer<T>& answer) {
  if (answer) return std::nullopt;
  return answer.error().kind;
}

}  // namespace entrepot::test
