#include "app/commands/directory_site.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "app/house.hpp"
#include "app/reception.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::app::commands {
namespace {

void check(int result, const char* what) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), what);
}

void become_owner_of(const std::filesystem::path& data) {
  struct stat found{};
  if (::geteuid() != 0 || ::stat(data.c_str(), &found) != 0 || found.st_uid == 0) return;
  check(::setgroups(1, &found.st_gid), "setgroups");
  check(::setresgid(found.st_gid, found.st_gid, found.st_gid), "setresgid");
  check(::setresuid(found.st_uid, found.st_uid, found.st_uid), "setresuid");
}

store::DirectoryLock lock_as_owner(const std::filesystem::path& data) {
  become_owner_of(data);
  return store::DirectoryLock(data);
}

class TextBody : public http::RequestBody {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}

  std::optional<std::uint64_t> length() const override { return text_.size(); }
  async::Task<base::ByteView> next() override {
    const auto piece = read_ ? std::string_view() : std::string_view(text_);
    read_ = true;
    co_return base::as_bytes(piece);
  }

 private:
  std::string text_;
  bool read_ = false;
};

class DirectorySite : public Site {
 public:
  explicit DirectorySite(Config config)
      : config_(std::move(config)),
        lock_(lock_as_owner(config_.data)),
        house_(config_),
        handler_(api::make_handler(collaborators(house_, {}))) {}

  async::Task<Said> ask(Question question) override {
    TextBody body(std::move(question.body));
    http::Request request;
    request.method = std::move(question.method);
    request.target = {std::move(question.path), std::move(question.query)};
    request.via = http::Via::control_socket;
    request.received = std::chrono::steady_clock::now();
    request.body = &body;
    auto reply = co_await handler_(request);
    Said said{reply.status, {}};
    for (const auto& part : reply.body) {
      if (const auto* text = std::get_if<std::string>(&part)) said.body += *text;
    }
    co_return said;
  }

 private:
  const Config config_;
  store::DirectoryLock lock_;
  House house_;
  http::Handler handler_;
};

}  // namespace

std::unique_ptr<Site> open_directory_site(const Config& config) {
  return std::make_unique<DirectorySite>(config);
}

}  // namespace entrepot::app::commands
