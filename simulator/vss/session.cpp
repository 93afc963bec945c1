#include "session.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "call.h"
#include "settings.h"

namespace vss_simulator {

Session::Session() = default;

Session::~Session() {
    end();
}

bool Session::answers(const GUID& id) const {
    return IsEqualGUID(id, abi::kBackupComponentsId) || IsEqualGUID(id, abi::kBackupComponentsExId) ||
           IsEqualGUID(id, abi::kBackupComponentsEx2Id) || IsEqualGUID(id, abi::kBackupComponentsEx3Id) ||
           IsEqualGUID(id, abi::kBackupComponentsEx4Id) || ComObject::answers(id);
}

Session::Lock Session::enter() {
    Lock lock(mutex_);
    if (operation_ && operation_->status() == VSS_S_ASYNC_PENDING) {
        if (settings().text("overlap", "refuse") != "wait") throw Failure(VSS_E_BAD_STATE);
        operation_->wait(INFINITE);
    }
    return lock;
}

Session::Lock Session::enterInitialised() {
    Lock lock = enter();
    if (phase_ == Phase::New) throw Failure(VSS_E_BAD_STATE);
    return lock;
}

Session::Lock Session::enterRestore() {
    Lock lock = enterInitialised();
    if (!isRestore_) throw Failure(VSS_E_BAD_STATE);
    return lock;
}

void Session::requirePhase(std::initializer_list<Phase> allowed) const {
    if (isRestore_ || std::ranges::find(allowed, phase_) == allowed.end()) throw Failure(VSS_E_BAD_STATE);
}

HRESULT Session::startOperation(abi::IVssAsync** async, std::string method, std::function<HRESULT(Operation&)> body,
                                std::function<void()> failed) {
    const auto self = Ref<Session>::share(this);
    operation_ = Operation::start(
        std::move(method), [self, body = std::move(body)](Operation& operation) { return body(operation); },
        [self, failed = std::move(failed)] { failed(); });
    *async = makeAsync(operation_, true).detach();
    return S_OK;
}

bool Session::isWorking() {
    const Lock lock(mutex_);
    return operation_ && operation_->status() == VSS_S_ASYNC_PENDING;
}

void Session::cancelOperation() {
    std::shared_ptr<Operation> running;
    {
        const Lock lock(mutex_);
        running = operation_;
    }
    if (!running) return;
    running->requestCancel();
    running->wait(INFINITE);
}

HRESULT Session::InitializeForBackup(BSTR xml) {
    return call("IVssBackupComponents::InitializeForBackup", [&]() -> HRESULT {
        const Lock lock = enter();
        requirePhase({Phase::New});
        if (xml != nullptr) *document_ = parseDocument(xml);
        phase_ = Phase::Initialised;
        return S_OK;
    });
}

HRESULT Session::InitializeForRestore(BSTR xml) {
    return call("IVssBackupComponents::InitializeForRestore", [&]() -> HRESULT {
        if (xml == nullptr) return E_INVALIDARG;
        const Lock lock = enter();
        requirePhase({Phase::New});
        *document_ = parseDocument(xml);
        phase_ = Phase::Initialised;
        isRestore_ = true;
        return S_OK;
    });
}

HRESULT Session::SetContext(LONG context) {
    return call("IVssBackupComponents::SetContext", [&]() -> HRESULT {
        const Lock lock = enter();
        const bool isEarly = phase_ == Phase::New && settings().flag("context_before_initialize", false);
        if (isEarly) {
            count(Counter::LenientContextBeforeInitialize);
        } else {
            if (phase_ != Phase::Initialised) return VSS_E_BAD_STATE;
        }
        if (isContextSet_) return VSS_E_BAD_STATE;
        if (static_cast<DWORD>(context) != VSS_CTX_ALL) {
            constexpr LONG kAllowedBits = VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX |
                                          VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_NO_AUTORECOVERY |
                                          VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY | VSS_VOLSNAP_ATTR_TXF_RECOVERY |
                                          VSS_VOLSNAP_ATTR_NOT_TRANSACTED;
            constexpr LONG kBoth = VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX;
            const LONG base = context & kContextBits;
            const bool isKnown = base == VSS_CTX_BACKUP || base == VSS_CTX_FILE_SHARE_BACKUP ||
                                 base == VSS_CTX_NAS_ROLLBACK || base == VSS_CTX_APP_ROLLBACK ||
                                 base == VSS_CTX_CLIENT_ACCESSIBLE || base == VSS_CTX_CLIENT_ACCESSIBLE_WRITERS;
            if (!isKnown || context & ~(kContextBits | kAllowedBits) || (context & kBoth) == kBoth) {
                return VSS_E_UNSUPPORTED_CONTEXT;
            }
            if (context & VSS_VOLSNAP_ATTR_TRANSPORTABLE &&
                (base & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE || !settings().flag("server", true))) {
                return VSS_E_UNSUPPORTED_CONTEXT;
            }
        }
        context_ = context;
        isContextSet_ = true;
        return S_OK;
    });
}

HRESULT Session::SaveAsXML(BSTR* xml) {
    return call("IVssBackupComponents::SaveAsXML", [&]() -> HRESULT {
        if (xml == nullptr) return E_INVALIDARG;
        *xml = nullptr;
        const Lock lock = enterInitialised();
        const bool isEarly = phase_ == Phase::Initialised || phase_ == Phase::SetOpen;
        if (isEarly && hasWriters() && !isRestore_) {
            if (!settings().flag("document_before_prepare", false)) return VSS_E_BAD_STATE;
            count(Counter::LenientDocumentBeforePrepare);
        }
        *xml = newBstr(printDocument(*document_));
        return S_OK;
    });
}

HRESULT Session::GetSessionId(VSS_ID* session) {
    return call("IVssBackupComponentsEx3::GetSessionId", [&]() -> HRESULT {
        if (session == nullptr) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        *session = guidFrom(id_);
        return S_OK;
    });
}

HRESULT Session::GetRootAndLogicalPrefixPaths(VSS_PWSZ path, VSS_PWSZ* root, VSS_PWSZ* logicalPrefix, BOOL) {
    return call("IVssBackupComponentsEx4::GetRootAndLogicalPrefixPaths", [&]() -> HRESULT {
        if (path == nullptr || root == nullptr || logicalPrefix == nullptr) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        const auto place = volumeOf(path);
        if (!place) return VSS_E_OBJECT_NOT_FOUND;
        *root = newTaskString(place->first.root);
        *logicalPrefix = newTaskString(place->first.guidName);
        return S_OK;
    });
}

void Session::closeSet() {
    creation_.close();
    members_.clear();
}

void Session::end() {
    if (phase_ == Phase::SetOpen || phase_ == Phase::Prepared) count(Counter::LenientNoAbortBackup);
    if (phase_ == Phase::Created && hasWriters()) count(Counter::LenientNoBackupComplete);
    sendLast(WriterEvent::BackupShutdown);
    closeSet();
    if (!ownership_.isOpen()) return;
    // The ownership is released last: until then, other processes leave the shadows alone.
    auto takeAway = [id = id_, ownership = std::make_shared<File>(std::move(ownership_))] {
        for (const Shadow& shadow : allShadows()) {
            if (shadow.owner == id) removeShadow(shadow);
        }
    };
    const auto delayMs = settings().number("auto_release_delay_ms", 0);
    if (delayMs == 0) {
        takeAway();
        return;
    }
    // If the process ends earlier, the next one finds the shadows without an owner.
    runOnOwnThread([takeAway = std::move(takeAway), delayMs] {
        std::this_thread::sleep_for(std::chrono::milliseconds(delayMs));
        try {
            takeAway();
        } catch (...) {
            currentExceptionResult();
        }
    });
}

}  // namespace vss_simulator
