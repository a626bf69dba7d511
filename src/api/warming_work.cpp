#include "api/warming_work.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/warm.hpp"
#include "entrepot/transfer/image_list.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

constexpr std::size_t images_at_once = 3;
constexpr int attempts = 3;
constexpr std::chrono::seconds longest_pause{60};

// Leaves the walk of an image when its job is to stop.
class Stopped : public std::exception {};

class Warming {
 public:
  Warming(WarmingOrder order, std::shared_ptr<upkeep::Progress> progress)
      : order_(std::move(order)), progress_(std::move(progress)) {}

  async::Task<std::string> run();

 private:
  async::Task<> warm_some();
  async::Task<> warm_one(std::string text);
  async::Task<registry::Route> find(const std::string& text, const transfer::ImageName& image);
  async::Task<registry::Answer<registry::Warmed>> warm(registry::Route route,
                                                       oci::Reference reference);
  void tell(const std::string& image, const registry::Warmed& warmed);
  void tell_trouble(const std::string& image, const std::string& sentence);

  const WarmingOrder order_;
  const std::shared_ptr<upkeep::Progress> progress_;
  std::size_t next_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t failed_ = 0;
  registry::CopyTally total_;
};

async::Task<std::string> Warming::run() {
  std::vector<async::Task<>> workers;
  for (std::size_t i = 0; i < std::min(images_at_once, order_.references.size()); ++i) {
    workers.push_back(warm_some());
  }
  co_await async::together(std::move(workers));
  json::object summary;
  summary["images"] = ended_ - failed_;
  summary["failed"] = failed_;
  summary["blobs"] = total_.blobs_moved;
  summary["blobs_held"] = total_.blobs_held;
  summary["bytes"] = total_.bytes;
  co_return json::serialize(summary);
}

async::Task<> Warming::warm_some() {
  while (next_ < order_.references.size() && !progress_->stop_wanted()) {
    const auto text = order_.references[next_++];
    try {
      co_await warm_one(text);
    } catch (const Stopped&) {
      co_return;
    } catch (const std::exception& error) {
      tell_trouble(text, error.what());
    }
    progress_->at(++ended_, order_.references.size(), "images");
  }
}

async::Task<> Warming::warm_one(std::string text) {
  const auto image = transfer::parse_image(text);
  if (!image) throw oci::Refusal(oci::ErrorCode::bad_request, "it names no image");
  const auto route = co_await find(text, *image);
  const auto warmed = co_await warm(route, image->reference);
  if (warmed) {
    tell(text, *warmed);
  } else {
    tell_trouble(text, warmed.error().message);
  }
}

// "hub/library/nginx" names an upstream, though Docker would not take it for a host.
async::Task<registry::Route> Warming::find(const std::string& text,
                                           const transfer::ImageName& image) {
  const bool upstream_first = order_.knows(image.repository.first_component()) &&
                              text.starts_with(image.repository.first_component());
  co_return co_await order_.locate(upstream_first ? std::string() : image.host,
                                   image.repository.text());
}

async::Task<registry::Answer<registry::Warmed>> Warming::warm(registry::Route route,
                                                              oci::Reference reference) {
  registry::WarmOrder order{.name = route.name, .reference = std::move(reference)};
  order.options.platforms = order_.platforms;
  order.options.referrers = order_.referrers;
  order.moved = [this](std::uint64_t) {
    if (progress_->stop_wanted()) throw Stopped();
  };
  for (int attempt = 1;; ++attempt) {
    auto warmed = co_await registry::warm(*route.source, order);
    if (warmed || attempt == attempts) co_return warmed;
    const auto kind = warmed.error().kind;
    using enum registry::FailureKind;
    if (kind == absent || kind == denied || kind == offline) co_return warmed;
    const auto pause = warmed.error().retry_after.value_or(std::chrono::seconds(1));
    co_await async::sleep_for(std::min(pause, longest_pause));
    if (progress_->stop_wanted()) throw Stopped();
  }
}

void Warming::tell(const std::string& image, const registry::Warmed& warmed) {
  total_ += warmed.tally;
  json::object line;
  line["image"] = image;
  line["digest"] = warmed.digest.text();
  line["blobs"] = warmed.tally.blobs_moved;
  line["blobs_held"] = warmed.tally.blobs_held;
  line["bytes"] = warmed.tally.bytes;
  progress_->line(json::serialize(line));
}

void Warming::tell_trouble(const std::string& image, const std::string& sentence) {
  ++failed_;
  json::object line;
  line["image"] = image;
  line["trouble"] = sentence;
  progress_->line(json::serialize(line));
}

async::Task<std::string> warm_all(WarmingOrder order, std::shared_ptr<upkeep::Progress> progress) {
  Warming warming(std::move(order), std::move(progress));
  co_return co_await warming.run();
}

}  // namespace

upkeep::Jobs::Work warming_work(WarmingOrder order) {
  return [order = std::move(order)](std::shared_ptr<upkeep::Progress> progress) {
    return warm_all(order, std::move(progress));
  };
}

}  // namespace entrepot::api
