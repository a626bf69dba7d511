#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/ask_text.hpp"
#include "transfer/bundle/bundle_plan.hpp"
#include "transfer/bundle/choice.hpp"
#include "transfer/bundle/parity_writer.hpp"
#include "transfer/bundle/signed_text.hpp"
#include "transfer/bundle/volume_writer.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

constexpr std::uint64_t bytes_a_read = 4 << 20;
constexpr std::uint64_t most_parities = 64;

// Removes what was finished when the rest fails: half a bundle is none.
class Files {
 public:
  explicit Files(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~Files() {
    std::error_code ignored;
    for (const auto& path : paths_) std::filesystem::remove(path, ignored);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::filesystem::path add(const std::string& name) {
    names_.push_back(name);
    return paths_.emplace_back(directory_ / name);
  }
  const std::vector<std::filesystem::path>& paths() const { return paths_; }
  std::vector<std::string> keep() {
    paths_.clear();
    return std::move(names_);
  }

 private:
  const std::filesystem::path directory_;
  std::vector<std::string> names_;
  std::vector<std::filesystem::path> paths_;
};

std::string three_digits(std::uint64_t number) {
  const auto text = std::to_string(number);
  return std::string(3 - std::min<std::size_t>(3, text.size()), '0') + text;
}

std::string file_name(const VolumeHead& head, bool parity) {
  auto name = "entrepot-" + head.contents.bundle.substr(0, 8);
  if (head.series != head.contents.bundle) name += "-again-" + head.series.substr(0, 8);
  return name + (parity ? "-parity-" : "-") + three_digits(head.number) + "-of-" +
         three_digits(parity ? head.parities : head.volumes) + ".tar";
}

class Creation {
 public:
  Creation(BundleOptions options, BundleSite site, async::BlockingPool& pool,
           const base::Clock& clock, BundleListener listener)
      : options_(std::move(options)),
        site_(std::move(site)),
        pool_(pool),
        listener_(std::move(listener)),
        now_(clock.wall()),
        files_(options_.directory) {
    site_.trusted.push_back({.name = site_.site.name, .key = site_.key.public_key()});
  }

  async::Task<BundleReport> run() {
    check_options();
    choice_ = co_await pool_.run([&] { return std::make_unique<const Choice>(options_, site_); });
    graph_ = co_await walk_images(
        options_.images,
        {.referrers = options_.referrers,
         .platforms = options_.platforms,
         .children = choice_->asked_children(),
         .absent = options_.again ? WalkOptions::Absent::skip : WalkOptions::Absent::refuse,
         .version = {.time = now_, .site = site_.site.id}},
        [this] { look_up(); });
    tell_barren();
    if (options_.facts != nullptr) co_await date_manifests();
    VolumeHead frame;
    const auto volumes = co_await pool_.run([&] {
      carried_ = choice_->carried(graph_, report_);
      frame = choice_->frame(graph_, carried_, now_);
      std::filesystem::create_directories(options_.directory);
      return plan_volumes(graph_, carried_, frame,
                          {.volume_size = options_.volume_size, .parities = options_.parity});
    });
    tell_contents(frame.contents);
    expect(volumes.size());
    frame.volumes = volumes.size();
    frame.parities = options_.parity;
    for (const auto& volume : volumes) {
      co_await write(frame, volume);
      ++frame.number;
    }
    if (options_.parity > 0) co_await write_parity(frame);
    co_return finish(frame);
  }

 private:
  void check_options() const {
    if (options_.volume_size < BundleOptions::least_volume) {
      throw std::runtime_error("a volume has " + std::to_string(BundleOptions::least_volume) +
                               " bytes at least");
    }
    if (options_.parity > most_parities) throw std::runtime_error("so many parity volumes");
    if (options_.want && options_.again) {
      throw std::runtime_error("an ask-file says what is wanted; it needs no want-file");
    }
  }

  void look_up() const {
    if (listener_.stop && listener_.stop()) throw std::runtime_error("stopped");
  }

  void tell_barren() const {
    for (const auto& image : graph_.barren) {
      const std::string sentence = "has nothing for the platforms wanted and is left out";
      base::log::warn("image not in the bundle", {{"image", image}, {"why", sentence}});
      if (listener_.trouble) listener_.trouble(image, sentence);
    }
  }

  // What no tag dates was put when our Journal says, where it does.
  async::Task<> date_manifests() {
    co_await options_.facts->read([&](const index::View& view) {
      for (auto& [line, type, objects] : graph_.units) {
        if (line.tag) continue;
        const auto here = oci::RepositoryName::parse(line.from);
        auto version = index::manifest_version(view, here.value_or(line.repository), line.digest);
        if (version) line.version = std::move(*version);
      }
    });
  }

  void tell_contents(const Contents& contents) {
    report_.bundle = contents.bundle;
    report_.images = contents.lines.size();
    report_.removals = contents.removals.size();
  }
  void expect(std::size_t volumes) {
    total_ = report_.bytes;
    if (options_.parity > 0) total_ += volumes * std::min(options_.volume_size, report_.bytes);
  }
  void passed(std::uint64_t bytes) {
    done_ += bytes;
    if (listener_.bytes) listener_.bytes(std::min(done_, total_), total_);
    look_up();
  }

  async::Task<> write(const VolumeHead& frame, const PlannedVolume& volume) {
    const auto writer = co_await pool_.run([&] {
      auto head = frame;
      head.members = volume.members;
      const auto path = files_.add(file_name(head, false));
      auto made = std::make_unique<VolumeWriter>(path, std::move(head), site_.key);
      put(*made, 0, layout_marker);
      put(*made, 1, volume.index_json);
      return made;
    });
    for (std::size_t i = 0; i < volume.sources.size(); ++i) {
      co_await copy(*writer, i + 2, volume.sources[i]);
    }
    co_await pool_.run([&] { writer->finish(); });
    report_.volume_bytes += writer->size();
  }
  static void put(VolumeWriter& writer, std::size_t member, std::string_view text) {
    writer.begin(member);
    writer.append(base::as_bytes(text));
    writer.end();
  }

  async::Task<> copy(VolumeWriter& writer, std::size_t member, Source source) {
    const auto size = writer.head().members[member].size;
    const auto bytes = co_await open(graph_.objects[source.object]);
    co_await pool_.run([&] { writer.begin(member); });
    for (std::uint64_t at = 0; at < size;) {
      const auto chunk =
          co_await bytes->read_at(source.offset + at, std::min(bytes_a_read, size - at));
      co_await pool_.run([&] { append(writer, chunk); });
      at += async::length_of(chunk);
      passed(async::length_of(chunk));
    }
    co_await pool_.run([&] { writer.end(); });
  }
  static void append(VolumeWriter& writer, const async::Chunk& chunk) {
    if (const auto* memory = std::get_if<async::MemorySlice>(&chunk)) {
      return writer.append(memory->bytes);
    }
    const auto& slice = std::get<async::FileSlice>(chunk);
    writer.append(base::as_bytes(read_at(*slice.file, slice.offset, slice.length)));
  }
  async::Task<std::unique_ptr<async::ByteSource>> open(const PlannedObject& object) {
    const auto& image = options_.images[object.image];
    std::unique_ptr<async::ByteSource> bytes;
    if (object.media_type.empty()) {
      auto blob = co_await image.source->blob(image.from, object.digest);
      if (!blob) registry::refuse(blob.error(), registry::Subject::blob);
      bytes = std::move(blob->bytes);
    } else {
      auto manifest = co_await image.source->manifest(image.from, oci::Reference(object.digest));
      if (!manifest) registry::refuse(manifest.error(), registry::Subject::manifest);
      bytes = async::memory_source(std::move(manifest->bytes));
    }
    if (bytes->size() != object.size) {
      throw oci::Refusal(oci::ErrorCode::size_invalid, object.digest.text() + " of " +
                                                           image.from.text() +
                                                           " is not as long as its manifest says");
    }
    co_return bytes;
  }

  async::Task<> write_parity(VolumeHead head) {
    head.number = 1;
    const auto volumes = files_.paths();
    const auto writer = co_await pool_.run([&] {
      std::vector<std::filesystem::path> paths;
      auto named = head;
      for (; named.number <= options_.parity; ++named.number) {
        paths.push_back(files_.add(file_name(named, true)));
      }
      auto bare = head;
      bare.contents.lines.clear();
      bare.contents.children.clear();
      bare.contents.removals.clear();
      return std::make_unique<ParityWriter>(volumes, std::move(bare), paths, site_.key);
    });
    for (std::uint64_t slice = 0; slice < writer->slices(); ++slice) {
      co_await pool_.run([&] { writer->write_slice(slice); });
      passed(volumes.size() * slice_size);
    }
    co_await pool_.run([&] { writer->finish(); });
    report_.volume_bytes += writer->size();
  }

  BundleReport finish(const VolumeHead& frame) {
    report_.volumes = files_.keep();
    base::log::info("bundle made", {{"bundle", report_.bundle},
                                    {"receiver", frame.contents.receiver.name},
                                    {"images", report_.images},
                                    {"removals", report_.removals},
                                    {"volumes", report_.volumes.size()},
                                    {"bytes", report_.volume_bytes},
                                    {"held_bytes", report_.held_bytes}});
    return std::move(report_);
  }

  const BundleOptions options_;
  BundleSite site_;
  async::BlockingPool& pool_;
  const BundleListener listener_;
  const base::WallTime now_;
  Files files_;
  std::unique_ptr<const Choice> choice_;
  Graph graph_;
  std::vector<bool> carried_;
  BundleReport report_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

std::vector<AskedImage> read_ask(const std::filesystem::path& file) {
  const auto read = parse_ask(read_file(file, largest_signed_text));
  if (!read) throw std::runtime_error(file.string() + " " + read.error());
  std::vector<AskedImage> images;
  for (const auto& line : read->ask.contents.lines) {
    images.push_back({.from = line.from.empty() ? line.repository.text() : line.from,
                      .repository = line.repository,
                      .tag = line.tag,
                      .digest = line.digest,
                      .version = line.version,
                      .sparse = line.sparse});
  }
  return images;
}

async::Task<BundleReport> create_bundle(BundleOptions options, BundleSite site,
                                        async::BlockingPool& pool, const base::Clock& clock,
                                        BundleListener listener) {
  Creation creation(std::move(options), std::move(site), pool, clock, std::move(listener));
  co_return co_await creation.run();
}

}  // namespace entrepot::transfer
