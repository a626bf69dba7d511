#include "app/commands/daemon_site.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "entrepot/base/unique_fd.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/http/target.hpp"

namespace entrepot::app::commands {
namespace {

constexpr std::size_t most_answer = 256 << 20;  // every line of a large collection
constexpr std::string_view origin = "http://entrepot";

class DaemonSite : public Site {
 public:
  explicit DaemonSite(const std::filesystem::path& socket) {
    auto transport = std::make_shared<http::Transport>();
    transport->unix_socket = socket.string();
    // A job is waited for by long questions, and a repository is deleted before the answer.
    transport->first_byte = transport->idle = std::chrono::minutes(10);
    transport_ = std::move(transport);
  }

  async::Task<Said> ask(Question question) override {
    http::ClientRequest request;
    request.method = std::move(question.method);
    request.url = origin;
    request.url += question.path;
    char mark = '?';
    for (const auto& [key, value] : question.query) {
      request.url += mark + key + '=' + http::encode_query(value);
      mark = '&';
    }
    if (!question.body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(question.body);
    request.transport = transport_;
    auto response = co_await client_.send(std::move(request));
    if (!response) throw Unreachable(response.error().message);
    auto body = co_await http::read_all(**response, most_answer);
    if (!body) throw Unreachable(body.error().message);
    co_return Said{(*response)->status(), std::move(*body)};
  }

 private:
  http::Client client_;
  std::shared_ptr<const http::Transport> transport_;
};

}  // namespace

std::unique_ptr<Site> open_daemon_site(const std::filesystem::path& socket) {
  sockaddr_un address{};
  const auto& path = socket.native();
  if (path.size() >= sizeof address.sun_path) return nullptr;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw std::system_error(errno, std::generic_category(), "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return std::make_unique<DaemonSite>(socket);
  }
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return nullptr;
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace entrepot::app::commands
