/** The path of a request's URL, without query and fragment. */
export const pathOf = ({ url }: { readonly url: string }): string => url.replace(/[?#].*$/s, "")
