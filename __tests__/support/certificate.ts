/**
 * A certificate for localhost and 127.0.0.1 that signs itself, valid for a hundred years, with its key. Tests only:
 * nothing but a test server on loopback ever uses it.
 */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUcCfAac5t9Rxbuz1kdyK2ThMf1MEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzEyMzY1M1oYDzIxMjYxMDMw
MTIzNjUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATzY0RiKGWP2iOPWnmUTq6XBs3zwb+oo0eETY1lGmyhVokGO/uDgNtp
y+Bu5k+Dhmi94DavGs+kmxp4LFXpMlKpo28wbTAdBgNVHQ4EFgQU8VNw2DQZfU9r
zRVO+o8GPOs4ZQAwHwYDVR0jBBgwFoAU8VNw2DQZfU9rzRVO+o8GPOs4ZQAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgPuB9rsMY2fdsDEr3hWi/QwJe/9oiKs6xjAYf4cg8KekCIQDe
nnRG9HnYR3fN2mbLPIoO62OfoMl3Zgm8Vr5otNsb6g==
-----END CERTIFICATE-----
`;

export const CERTIFICATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglhxhOhw2gGyBeFIV
gA+nNBKGgraBBNSPf1kRw3Aj2ByhRANCAATzY0RiKGWP2iOPWnmUTq6XBs3zwb+o
o0eETY1lGmyhVokGO/uDgNtpy+Bu5k+Dhmi94DavGs+kmxp4LFXpMlKp
-----END PRIVATE KEY-----
`;
