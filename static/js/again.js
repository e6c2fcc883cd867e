// A page that could not be made asks for itself once more, after the seconds that its tag names.
(function () {
  "use strict";

  const seconds = Number(document.currentScript.dataset.again);
  setTimeout(function () {
    location.reload();
  }, seconds * 1000);
})();
