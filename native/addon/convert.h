// JavaScript values from records and records from JavaScript values, by the records' tables.
// On the JavaScript thread.
#pragma once

#include <napi.h>

#include "core/executor/executor.h"

namespace flintap::addon {

Napi::Object to_js(Napi::Env env, const Record& record, const Schema& schema);

// Throws a JavaScript TypeError that names the field; `path` is what the object is called.
void from_js(const Napi::Object& object, Record& record, const Schema& schema,
             const std::string& path);

// Gives the descriptors away: JavaScript closes them from now on.
Napi::Object outcome_to_js(Napi::Env env, Outcome& outcome);

// What running it took: for whoever traces.
Napi::Object work_to_js(Napi::Env env, const Task& task);

Napi::Object failure_to_js(Napi::Env env, const Failure& failure, std::string_view operation);

}  // namespace flintap::addon
