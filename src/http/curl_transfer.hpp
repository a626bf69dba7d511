// One exchange: the easy handle, the head as it comes in, the bounded buffer of the body.
//
// curl writes in pieces of at most 16 KiB into a buffer of 256 KiB and is paused when that is full;
// next() hands the buffer over whole and lets curl go on. The coroutine that owns the transfer is
// woken only when what it waits for is there. Until the head is there the same coroutine fetches
// what is sent (CurlUpload). Lives and dies on its io_context's thread.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "entrepot/http/client.hpp"
#include "entrepot/http/url.hpp"
#include "http/curl_head.hpp"
#include "http/curl_multi.hpp"
#include "http/curl_upload.hpp"
#include "http/passage.hpp"

namespace entrepot::http {

class CurlTransfer final : public Response, private CurlDriven {
 public:
  CurlTransfer(std::shared_ptr<CurlMulti> multi, ClientRequest request, const Url& url);
  ~CurlTransfer() override;
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // Returns when the head is complete. Called once, first.
  async::Task<std::expected<void, TransportError>> receive_head();

  int status() const override { return head_.status(); }
  const Headers& headers() const override { return head_.headers(); }
  std::optional<std::uint64_t> content_length() const override { return head_.content_length(); }
  async::Task<std::expected<base::ByteView, TransportError>> next(
      std::chrono::milliseconds gather) override;
  std::shared_ptr<const void> piece_owner() const override { return given_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Buffer = std::shared_ptr<std::string>;

  CURL* easy() override { return easy_; }
  void goes_over(curl_socket_t fd) override;
  void lost(curl_socket_t fd) override;
  void finished(CURLcode result) override;
  void abandoned() override;

  void set_up(const Url& url);
  void set_method();
  void set_upload();
  void set_headers();
  void set_security();
  void set_proxy(const Url& url);
  void set_callbacks();

  // A limit of 0 is none.
  static Clock::time_point after(std::chrono::milliseconds limit);

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_read(char* room, std::size_t, std::size_t size, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_connected(void* self, char*, char*, int, int);
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address);

  // From now on the other side owes us something: to take bytes, or to answer.
  void expect_progress();
  std::chrono::milliseconds first_byte() const;
  void bound_buffers();
  void cut_off();
  bool still_draining();
  async::Task<> feed();
  void stop_sending();

  bool admit(std::uint64_t bytes);
  async::Task<> readmit();
  void resume();
  Buffer take_spare();
  void wake();
  // Suspends until woken or `until`; the caller looks again at what it waits for.
  async::Task<> wait(std::size_t enough, Clock::time_point until);
  // Until people on its line let so many bytes pass; no limit of the server's runs meanwhile.
  async::Task<> pass(std::uint64_t bytes);
  bool overtaken() const;
  async::Task<> hold(std::chrono::nanoseconds time);
  std::unexpected<TransportError> fail(TransportErrorKind kind, std::string message);
  TransportErrorKind kind_of(CURLcode result) const;
  std::string sentence(CURLcode result) const;

  std::shared_ptr<CurlMulti> multi_;
  ClientRequest request_;
  Passage passage_;
  std::optional<CurlUpload> upload_;
  std::exception_ptr unreadable_;  // why a chunk of it could not be read
  int queued_ = 0;                 // in the kernel when still_draining() looked last
  CURL* easy_;
  curl_slist* header_list_ = nullptr;
  std::optional<boost::asio::steady_timer> signal_;  // absent once the loop has ended
  Clock::time_point head_by_;
  Clock::time_point end_by_;

  CurlHead head_;
  Buffer filling_;
  Buffer given_;             // what the last next() showed
  std::size_t wake_at_ = 0;  // bytes in filling_ that wake the waiter; 0: nobody waits for bytes
  curl_socket_t fd_ = CURL_SOCKET_BAD;  // once known; curl's
  bool connected_ = false;
  bool paused_ = false;
  bool held_ = false;           // takes nothing in until a limit lets it
  std::uint64_t admitted_ = 0;  // that may come in though others are on the line
  bool answered_ = false;       // the head was there, or will never be
  bool proxied_ = false;
  bool refused_address_ = false;
  bool done_ = false;
  std::optional<TransportError> error_;
  std::array<char, CURL_ERROR_SIZE> message_{};
};

}  // namespace entrepot::http
