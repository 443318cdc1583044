// The pages of rq-dashboard send with jQuery and know nothing of our token.
$.ajaxSetup({ headers: { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content } });
