// The thread that may hang and must not end the process.

#include "system/abandonable_thread.h"

#include <atomic>
#include <future>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "check.h"

namespace {

using namespace domino_vss;
using std::chrono::milliseconds;

constexpr milliseconds kPlenty{20'000};

/// What is reported of a thread whose work throws this.
template <typename Thrown>
Failure reportOf(Thrown thrown) {
    std::optional<Failure> reported;
    AbandonableThread thread([&] { throw Thrown(thrown); }, [&](Failure&& failure) { reported = std::move(failure); });
    CHECK(thread.endsWithin(kPlenty));
    CHECK(reported.has_value());
    return *reported;
}

void reportsWhateverEscapes() {
    const Failure own = reportOf(Failure(code::kShadow, Phase::shadow, "as thrown", "/data"));
    CHECK(own.code == std::string(code::kShadow) && own.text == "as thrown" && own.subject == "/data");
    CHECK(reportOf(std::bad_alloc()).code == std::string(code::kInternal));
    CHECK(reportOf(std::runtime_error("a text of the standard library")).text == "a text of the standard library");
    CHECK(reportOf(42).text == "unknown error");
}

void reportsNothingOfWorkThatSucceeds() {
    std::atomic<int> reports = 0;
    AbandonableThread thread([] {}, [&](Failure&&) { ++reports; });
    CHECK(thread.endsWithin(kPlenty));
    CHECK(reports == 0);
}

void isAbandonedWhileItHangs() {
    struct Shared {
        std::promise<void> release;
        std::promise<void> left;
    };
    const auto shared = std::make_shared<Shared>();
    {
        AbandonableThread thread(
            [shared] {
                shared->release.get_future().wait();
                shared->left.set_value();
            },
            [](Failure&&) {});
        CHECK(!thread.endsWithin(milliseconds(20)));
    }
    shared->release.set_value();
    CHECK(shared->left.get_future().wait_for(kPlenty) == std::future_status::ready);
}

/// Waits, abandons and destroys around the very end of threads, for the sanitizers.
void mayBeAbandonedAtAnyMoment() {
    for (int round = 0; round < 2'000; ++round) {
        const auto count = std::make_shared<std::atomic<int>>(0);
        AbandonableThread thread([count] { ++*count; }, [](Failure&&) {});
        for (int spin = 0; spin < round; ++spin) static_cast<void>(count->load());
        if (round % 3 == 0) thread.abandon();
        if (round % 3 == 1 && thread.endsWithin(milliseconds(0))) CHECK(*count == 1);
    }
}

}  // namespace

int main() {
    return check::run({
        {"it reports whatever escapes", reportsWhateverEscapes},
        {"it reports nothing of work that succeeds", reportsNothingOfWorkThatSucceeds},
        {"it is abandoned while it hangs", isAbandonedWhileItHangs},
        {"it may be abandoned at any moment", mayBeAbandonedAtAnyMoment},
    });
}
