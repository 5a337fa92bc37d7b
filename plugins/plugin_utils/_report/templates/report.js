// SPDX-License-Identifier: GPL-3.0-or-later
// Filters and opening of what a link points to. The page is complete without it.
(function () {
  "use strict";
  var form = document.getElementById("filters");
  if (!form) { return; }
  var text = document.getElementById("filter-host");
  var id = document.getElementById("filter-id");
  var count = document.getElementById("filter-count");
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[type=checkbox]"));
  var rows = {};
  document.querySelectorAll("#matrix tbody tr").forEach(function (row) { rows[row.dataset.for] = row; });
  var hosts = Array.prototype.map.call(document.querySelectorAll(".host"), function (element) {
    return {
      element: element,
      name: element.dataset.host.toLowerCase(),
      row: rows[element.id],
      items: element.querySelectorAll("[data-s]"),
      parts: element.querySelectorAll(".group, .quiet")
    };
  });
  var none = document.getElementById("none-shown");

  function apply() {
    var wanted = text.value.trim().toLowerCase();
    var statuses = {};
    boxes.forEach(function (box) { statuses[box.value] = box.checked; });
    var all = boxes.every(function (box) { return box.checked; }) && !id.value;
    var shown = 0;
    hosts.forEach(function (host) {
      var visible = !wanted || host.name.indexOf(wanted) >= 0;
      if (visible) {
        var found = 0;
        host.items.forEach(function (item) {
          var match = statuses[item.dataset.s] && (!id.value || item.dataset.id === id.value);
          item.hidden = !match;
          if (match) { found += 1; }
        });
        host.parts.forEach(function (part) {
          part.hidden = !part.querySelector("[data-s]:not([hidden])");
        });
        visible = all || found > 0;
      }
      host.element.hidden = !visible;
      if (host.row) { host.row.hidden = !visible; }
      if (visible) { shown += 1; }
    });
    if (id.value && shown <= 10) { openShown(true); }
    count.textContent = shown + " of " + hosts.length + (hosts.length === 1 ? " host" : " hosts") + " shown";
    none.hidden = shown > 0 || hosts.length === 0;
  }

  function openShown(open) {
    hosts.forEach(function (host) {
      if (!host.element.hidden) { host.element.open = open; }
    });
  }

  // A link into something closed or filtered away must still arrive.
  function reveal() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    if (target.closest("[hidden]")) { form.reset(); apply(); }
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
    target.scrollIntoView();
  }

  var timer = 0;
  ["input", "change"].forEach(function (name) {
    form.addEventListener(name, function () { clearTimeout(timer); timer = setTimeout(apply, 60); });
  });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  document.getElementById("open-all").addEventListener("click", function () { openShown(true); });
  document.getElementById("close-all").addEventListener("click", function () { openShown(false); });
  document.querySelectorAll("[data-show]").forEach(function (link) {
    link.addEventListener("click", function () { form.reset(); id.value = link.dataset.show; setTimeout(apply, 0); });
  });
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () { openShown(true); });
  form.hidden = false;
  apply();
  reveal();
})();
