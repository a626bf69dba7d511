// ImageWalk: signatures, SBOMs and whatever else refers to what was copied.
#include <algorithm>
#include <utility>

#include "entrepot/async/together.hpp"
#include "registry/copy_failure.hpp"
#include "registry/image_walk.hpp"

namespace entrepot::registry {
namespace {

// A signature of an SBOM of an image is two deep.
constexpr int deepest_referrer = 8;
constexpr std::size_t subjects_at_once = 4;
constexpr int most_pages = 1000;

}  // namespace

// In rounds: those of the images, then those of what came by the round before.
async::Task<> ImageWalk::bring_referrers() {
  std::size_t asked = 0;
  for (int round = 0; round < deepest_referrer && asked < met_.size(); ++round) {
    std::vector<oci::Digest> subjects(met_.rbegin(),
                                      met_.rend() - static_cast<std::ptrdiff_t>(asked));
    asked = met_.size();
    const auto count = std::min(subjects_at_once, subjects.size());
    std::vector<async::Task<>> workers;
    workers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) workers.push_back(bring_some_referrers(subjects));
    co_await async::together(std::move(workers));
  }
}

async::Task<> ImageWalk::bring_some_referrers(std::vector<oci::Digest>& subjects) {
  while (!subjects.empty() && !failed_) {
    const auto subject = subjects.back();
    subjects.pop_back();
    try {
      co_await bring_referrers_of(subject);
    } catch (...) {
      note_failure();
      throw;
    }
  }
}

async::Task<> ImageWalk::bring_referrers_of(oci::Digest subject) {
  Page page;
  for (int pages = 0; pages < most_pages; ++pages) {
    check_going();
    const auto answer = co_await from_.referrers(order_.from_name, subject, {}, page);
    if (!answer && answer.error().kind == FailureKind::absent) co_return;
    if (!answer) {
      throw CopyFailure(
          "asking what refers to " + subject.text() + " in " + order_.from_name.text(),
          answer.error(), Whose::source);
    }
    for (const auto& referrer : answer->referrers) {
      co_await bring_referrer(referrer.descriptor.digest);
    }
    if (!answer->more || answer->referrers.empty()) co_return;
    const auto last = answer->referrers.back().descriptor.digest.text();
    if (last == page.after) co_return;
    page.after = last;
  }
}

// Lists that clients keep under a tag name what was deleted since.
async::Task<> ImageWalk::bring_referrer(oci::Digest digest) {
  try {
    co_await bring(digest, Part::referrer, 0);
  } catch (const CopyFailure& failed) {
    if (failed.missing != digest) throw;
  }
}

}  // namespace entrepot::registry
