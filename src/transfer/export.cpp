#include "entrepot/transfer/export.hpp"

#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/refusal.hpp"
#include "transfer/foreign_folder.hpp"
#include "transfer/layout_writer.hpp"

namespace entrepot::transfer {

namespace {

constexpr std::uint64_t bytes_a_read = 4 << 20;
constexpr std::size_t referrers_a_page = 100;
constexpr int blobs_at_once = 2;
// Deeper graphs are somebody's joke (reliability.md M-10).
constexpr int deepest = 64;

// Writes on the pool, reads on the caller's thread.
class Export {
 public:
  Export(registry::Source& source, oci::RepositoryName repository, LayoutWriter& writer,
         async::BlockingPool& pool, std::function<void(std::uint64_t, std::uint64_t)> progress)
      : source_(source),
        repository_(std::move(repository)),
        writer_(writer),
        pool_(pool),
        progress_(std::move(progress)) {}

  async::Task<> take(oci::Reference reference);
  async::Task<> write_blobs();
  ExportReport report;

 private:
  struct Blob {
    oci::Digest digest;
    std::uint64_t size = 0;
    bool required = true;
  };

  async::Task<> walk(registry::ManifestContent content, int depth);
  async::Task<> walk_child(oci::Digest digest, int depth);
  async::Task<> walk_referrers(oci::Digest subject, int depth);
  async::Task<> write_manifest(const registry::ManifestContent& content);
  async::Task<> work_off(std::vector<Blob>& list);
  async::Task<> write_blob(Blob blob);
  async::Task<> copy(async::ByteSource& bytes, LayoutWriter::File& file);
  void add_blob(const oci::Edge& edge);

  registry::Source& source_;
  const oci::RepositoryName repository_;
  LayoutWriter& writer_;
  async::BlockingPool& pool_;
  const std::function<void(std::uint64_t, std::uint64_t)> progress_;
  std::set<oci::Digest> walked_;
  std::map<oci::Digest, Blob> blobs_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

template <class T>
T answered(registry::Answer<T> answer, registry::Subject what) {
  if (!answer) registry::refuse(answer.error(), what);
  return std::move(*answer);
}

async::Task<> Export::take(oci::Reference reference) {
  auto content =
      answered(co_await source_.manifest(repository_, reference), registry::Subject::manifest);
  writer_.add({.media_type = content.media_type,
               .digest = content.digest,
               .size = content.bytes.size(),
               .tag = reference.tag() == nullptr ? "" : reference.tag()->text(),
               .artifact_type = {}});
  co_await walk(std::move(content), 0);
}

async::Task<> Export::walk(registry::ManifestContent content, int depth) {
  if (!walked_.insert(content.digest).second) co_return;
  const auto parsed = oci::parse_manifest(content.bytes, content.media_type);
  if (!parsed || depth > deepest) {
    throw oci::Refusal(oci::ErrorCode::manifest_invalid,
                       parsed ? "the graph is too deep" : parsed.error());
  }
  co_await write_manifest(content);
  for (const auto& edge : parsed->edges) {
    if (edge.kind == oci::EdgeKind::manifest) {
      co_await walk_child(edge.target.digest, depth + 1);
    } else {
      add_blob(edge);
    }
  }
  co_await walk_referrers(content.digest, depth + 1);
}

async::Task<> Export::walk_child(oci::Digest digest, int depth) {
  if (walked_.contains(digest)) co_return;
  co_await walk(answered(co_await source_.manifest(repository_, oci::Reference(digest)),
                         registry::Subject::manifest),
                depth);
}

async::Task<> Export::walk_referrers(oci::Digest subject, int depth) {
  registry::Page page{.after = {}, .limit = referrers_a_page};
  for (bool more = true; more;) {
    const auto found = co_await source_.referrers(repository_, subject, {}, page);
    // An upstream need not know of referrers.
    if (!found) co_return;
    more = found->more && !found->referrers.empty();
    for (const auto& referrer : found->referrers) {
      page.after = referrer.descriptor.digest.text();
      writer_.add({.media_type = referrer.descriptor.media_type,
                   .digest = referrer.descriptor.digest,
                   .size = referrer.descriptor.size,
                   .tag = {},
                   .artifact_type = referrer.artifact_type});
      co_await walk_child(referrer.descriptor.digest, depth);
    }
  }
}

async::Task<> Export::write_manifest(const registry::ManifestContent& content) {
  ++report.manifests;
  co_await pool_.run([&] {
    if (writer_.has(content.digest, content.bytes.size())) return;
    writer_.write(content.digest, base::as_bytes(content.bytes));
  });
}

void Export::add_blob(const oci::Edge& edge) {
  const Blob blob{edge.target.digest, edge.target.size, edge.kind != oci::EdgeKind::foreign};
  const auto [place, fresh] = blobs_.emplace(blob.digest, blob);
  place->second.required = place->second.required || blob.required;
  if (fresh) total_ += blob.size;
}

async::Task<> Export::write_blobs() {
  std::vector<Blob> list;
  list.reserve(blobs_.size());
  for (const auto& [digest, blob] : blobs_) list.push_back(blob);
  std::vector<async::Task<>> workers;
  workers.reserve(blobs_at_once);
  for (int i = 0; i < blobs_at_once; ++i) workers.push_back(work_off(list));
  co_await async::together(std::move(workers));
}

async::Task<> Export::work_off(std::vector<Blob>& list) {
  try {
    while (!list.empty()) {
      const auto blob = list.back();
      list.pop_back();
      co_await write_blob(blob);
    }
  } catch (...) {
    list.clear();
    throw;
  }
}

async::Task<> Export::write_blob(Blob blob) {
  if (co_await pool_.run([&] { return writer_.has(blob.digest, blob.size); })) {
    ++report.held_before;
    done_ += blob.size;
    co_return;
  }
  auto content = co_await source_.blob(repository_, blob.digest);
  // The bytes of a foreign layer are somebody else's to give.
  if (!content && !blob.required) co_return;
  auto bytes = answered(std::move(content), registry::Subject::blob).bytes;
  const auto file = co_await pool_.run(
      [&] { return std::make_unique<LayoutWriter::File>(writer_, blob.digest); });
  co_await copy(*bytes, *file);
  co_await pool_.run([&] { file->finish(); });
  ++report.blobs;
  report.bytes += bytes->size();
}

async::Task<> Export::copy(async::ByteSource& bytes, LayoutWriter::File& file) {
  for (std::uint64_t offset = 0; offset < bytes.size();) {
    const auto chunk = co_await bytes.read_at(offset, bytes_a_read);
    const auto length = async::length_of(chunk);
    co_await pool_.run([&] {
      if (const auto* memory = std::get_if<async::MemorySlice>(&chunk)) {
        return file.append(memory->bytes);
      }
      const auto& slice = std::get<async::FileSlice>(chunk);
      file.append(base::as_bytes(read_at(*slice.file, slice.offset, slice.length)));
    });
    offset += length;
    done_ += length;
    if (progress_) progress_(std::min(done_, total_), total_);
  }
}

}  // namespace

async::Task<ExportReport> export_layout(
    registry::Source& source, oci::RepositoryName repository,
    std::vector<oci::Reference> references, std::filesystem::path directory,
    async::BlockingPool& pool,
    std::function<void(std::uint64_t done, std::uint64_t total)> progress) {
  const auto writer = co_await pool.run([&] { return std::make_unique<LayoutWriter>(directory); });
  Export work(source, std::move(repository), *writer, pool, std::move(progress));
  for (auto& reference : references) co_await work.take(std::move(reference));
  co_await work.write_blobs();
  co_await pool.run([&] { writer->save(); });
  co_return work.report;
}

}  // namespace entrepot::transfer
